/** A slow sender is waited for as long as something comes; one that is silent is not. */
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'

/** Passes on what comes. Throws VALIDATION_ERROR after `stallMs` without a byte; time that the reader takes does not count. */
export async function* untilStalled(
  body: AsyncIterable<Buffer>,
  stallMs: number,
  clock: Pick<Clock, 'after'>,
): AsyncGenerator<Buffer> {
  const source = body[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await within(source.next(), stallMs, clock)
    if (done) return
    yield value
  }
}

function within<Value>(work: Promise<Value>, ms: number, clock: Pick<Clock, 'after'>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () =>
      reject(
        new HubError(
          'VALIDATION_ERROR',
          `Nothing came for ${Math.round(ms / 1000)} s, so the file was given up. Send it again.`,
        ),
      ),
    )
    work.then(resolve, reject).finally(cancel)
  })
}
