import { Histogram, type Registry } from 'prom-client'
import type { Http } from '../domain/route.ts'

/** Measures and logs how long routes take, by route pattern so that ids in paths do not make new series. */
export function measureLatency(http: Http, registry: Registry, monotonic: () => number): void {
  const seconds = new Histogram({
    name: 'homefield_http_request_seconds',
    help: 'Time from the request line to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  })
  const startedAt = new WeakMap<object, number>()
  http.addHook('onRequest', async (request) => {
    startedAt.set(request.raw, monotonic())
  })
  http.addHook('onResponse', async (request, reply) => {
    const started = startedAt.get(request.raw)
    if (started === undefined) return
    const route = request.routeOptions.url ?? 'none'
    const tookMs = monotonic() - started
    seconds.labels(request.method, route, String(reply.statusCode)).observe(tookMs / 1000)
    // The pattern, not the path: paths name persons.
    request.log.debug({ method: request.method, route, status: reply.statusCode, tookMs }, 'answered')
  })
}
