/** Erasing a person: each part that keeps something about people says what of it went. */

export interface Erased {
  rows: number
  files: number
}

export interface Erasure {
  /** The part, in the words of its feature. */
  name: string
  /** Takes away for ever what the part keeps about the person; once more finds nothing. Rejects as the store does. */
  erase(personId: string): Promise<Erased>
}
