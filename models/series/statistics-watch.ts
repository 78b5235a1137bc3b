/** What the caller of a long run may do meanwhile: hear how far it is, or call it off. */
export interface Watch {
  /** Share done, 0 to 1, about a hundred times per run. */
  onProgress?: (share: number) => void
  /** Asked as often; when true the run throws Cancelled. */
  isCancelled?: () => boolean
}

/** Thrown by a run that its caller called off; there is no partial result. */
export class Cancelled extends Error {
  constructor() {
    super('the run was called off')
    this.name = 'Cancelled'
  }
}

/** Reports the step and stops if asked to, but only about a hundred times in `total` steps. */
export function checkIn(watch: Watch, step: number, total: number): void {
  if (step !== total && step % Math.max(1, Math.floor(total / 100)) !== 0) return
  if (watch.isCancelled?.()) throw new Cancelled()
  watch.onProgress?.(total === 0 ? 1 : step / total)
}
