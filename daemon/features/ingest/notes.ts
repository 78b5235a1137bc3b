import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

/** What was going on around a measurement, as it was sent. */
export interface Note {
  personId: string
  deviceId: string
  atMs: number
  context: unknown
  interaction: unknown
}

export interface Notes {
  /** Keeps the note; one of the same person, device and instant is replaced. Resolves to whether anything changed. */
  keep(note: Note): Promise<boolean>
}

const OBJECT_BYTES = 16 * 1024
const KEEP = `INSERT INTO context_note (person_key, at, device_key, context, interaction, created_at)
  SELECT person.key, :atMs, device.key, :context, :interaction, :now FROM person, device
  WHERE person.id = :personId AND device.id = :deviceId
  ON CONFLICT (person_key, at, device_key) DO UPDATE SET context = :context, interaction = :interaction
  WHERE context IS NOT :context OR interaction IS NOT :interaction`

export function createNotes({ store, now }: { store: Pick<Store, 'write'>; now: () => number }): Notes {
  return {
    async keep({ personId, deviceId, atMs, context, interaction }) {
      const params = {
        personId,
        deviceId,
        atMs,
        context: textOf(context),
        interaction: textOf(interaction),
        now: now(),
      }
      const [result] = await store.write([{ sql: KEEP, params }])
      return (result?.changes ?? 0) > 0
    },
  }
}

/** Refuses an open object that is too large to keep; call it before anything is written. */
export function refuseLarge(path: string, value: unknown): void {
  const bytes = Buffer.byteLength(textOf(value) ?? '')
  if (bytes <= OBJECT_BYTES) return
  throw new HubError('TOO_LARGE', `${path} is larger than 16 KB. Send less of it.`, {
    details: [{ path, message: 'is larger than 16 KB', value: bytes }],
  })
}

function textOf(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}
