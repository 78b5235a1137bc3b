/** Messages between their arrival and their acknowledgement, counted so that the broker can stop after the last of them. */
export interface InHand {
  enter(): void
  leave(): void
  /** From the call of `end` on nothing more is taken in hand. */
  readonly ending: boolean
  /** Resolves when nothing is in hand any more. */
  end(): Promise<void>
}

export function createInHand(): InHand {
  let count = 0
  let ending = false
  let onEmpty = () => {}
  return {
    enter() {
      count++
    },
    leave() {
      count--
      if (ending && count === 0) onEmpty()
    },
    get ending() {
      return ending
    },
    async end() {
      ending = true
      if (count === 0) return
      await new Promise<void>((resolve) => {
        onEmpty = resolve
      })
    },
  }
}
