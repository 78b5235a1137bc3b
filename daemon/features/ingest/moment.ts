import { EARLIEST_MS, parseInstant } from '../../domain/instant.ts'
import { FUTURE_TOLERANCE_MS } from '../../domain/intake.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { createWearers } from './wearers.ts'

/** The seed's body: values side by side under one time. */
export interface MomentBody {
  timestamp?: string | number
  wellness_metrics: Readonly<Record<string, string | number | null>>
}

export interface Moment {
  atMs: number
  samples: { metric: string; value: string | number; ts: number }[]
}

/** Takes a moment apart into samples. A value of null says that there was none; without a time it is now. */
export function readMoment(
  body: MomentBody,
  store: Pick<Store, 'get'>,
  personId: string,
  nowMs: number,
  latestMs: number = nowMs,
): Moment {
  const zone = createWearers(store).zoneOf(personId) ?? 'UTC'
  const parsed = body.timestamp === undefined ? { atMs: nowMs } : parseInstant(body.timestamp, zone)
  if ('wrong' in parsed) {
    throw new HubError('VALIDATION_ERROR', `The body is not valid. timestamp: ${parsed.wrong}.`, {
      details: [{ path: 'timestamp', message: parsed.wrong, value: body.timestamp }],
    })
  }
  if (parsed.atMs < EARLIEST_MS && body.timestamp !== undefined) {
    const details = [{ path: 'timestamp', message: 'lies before 2000-01-01', value: body.timestamp }]
    throw new HubError('OUT_OF_RANGE', 'The timestamp lies before 2000-01-01. Set the device’s clock.', {
      details,
    })
  }
  if (parsed.atMs > latestMs + FUTURE_TOLERANCE_MS) {
    throw new HubError(
      'FUTURE_TIMESTAMP',
      'The timestamp lies ahead of the hub’s clock. Set the device’s clock.',
      {
        details: [{ path: 'timestamp', message: 'lies more than 10 min ahead', value: body.timestamp }],
      },
    )
  }
  const samples = Object.entries(body.wellness_metrics).flatMap(([metric, value]) =>
    value === null ? [] : [{ metric, value, ts: parsed.atMs }],
  )
  return { atMs: parsed.atMs, samples }
}
