/** Keeps what an uploader sent and the hub could not take: such clients repeat for ever what is answered with an error. */
import type { Rejection } from '../../domain/intake.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import type { QuarantineEntry } from '../../store/quarantine.ts'
import type { Uploader } from './uploader.ts'

export interface Refused {
  item: unknown
  code: ErrorCode
  reason: string
}

/** Resolves once all of it is on disk. */
export type KeepRefused = (
  uploader: Uploader,
  collection: string,
  refused: readonly Refused[],
) => Promise<void>

/** A broken client sends thousands at once: so many are kept one by one, the others are counted. */
const KEPT_EACH = 50
const PAYLOAD_BYTES = 4096

export function createRefusals(deps: {
  quarantine: (entry: QuarantineEntry) => Promise<void>
  now: () => number
}): KeepRefused {
  return async ({ deviceId }, collection, refused) => {
    const about = { deviceId, atMs: deps.now(), topic: `nightscout ${collection}` }
    for (const { item, code, reason } of refused.slice(0, KEPT_EACH)) {
      const whole = Buffer.from(JSON.stringify(item) ?? 'undefined')
      const payload = whole.subarray(0, PAYLOAD_BYTES)
      await deps.quarantine({ ...about, code, reason, payload, payloadBytes: whole.length })
    }
    const others = refused.length - KEPT_EACH
    if (others <= 0) return
    const reason = `${others} more of the same upload were not taken; the first ${KEPT_EACH} say why`
    const payload = new Uint8Array()
    await deps.quarantine({ ...about, code: 'VALIDATION_ERROR', reason, payload, payloadBytes: 0 })
  }
}

export function refusedItem(item: unknown, { code, path, message }: Rejection): Refused {
  return { item, code, reason: `${path}: ${message}` }
}
