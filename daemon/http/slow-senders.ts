/** Bodies that never end hold a connection for good. Node's own limit knows no route that may take longer, so it is off. */
import type { Http } from '../domain/route.ts'
import type { Clock } from '../kernel/clock.ts'

const BODY_MS = 120_000
/** What a refused sender still sends is thrown away for as long, so that it gets to read why. */
const AFTER_ANSWER_MS = 10_000

/** Cuts the connection of whoever has not sent his whole body in time; routes with `slowBody` watch theirs themselves. */
export function cutSlowSenders(http: Http, clock: Pick<Clock, 'after'>): void {
  http.addHook('onRequest', async (request) => {
    const { raw, routeOptions } = request
    const isBodiless =
      raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined
    if (isBodiless || routeOptions.config.slowBody === true) return
    raw.once(
      'close',
      clock.after(BODY_MS, () => raw.destroy()),
    )
  })
  http.addHook('onResponse', async ({ raw, routeOptions }) => {
    if (raw.complete || routeOptions.config.slowBody !== true) return
    raw.once(
      'close',
      clock.after(AFTER_ANSWER_MS, () => raw.destroy()),
    )
    raw.resume()
  })
}
