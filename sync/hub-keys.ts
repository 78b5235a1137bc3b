/** Persons' keys as the household has them: those of other hubs come here, and the first that reached the cloud is everybody's. */
import { Compile } from 'typebox/compile'
import type { HubClient } from './hub-client.ts'
import type { SyncState } from './hub-state.ts'
import type { Statement, SyncPorts } from './ports.ts'
import { SUBJECT_KEY_BYTES } from './seal.ts'
import { KeysAnswer, PATHS } from './wire.ts'

export interface HubKeys {
  /** Takes what the cloud knows. Rejects when it cannot be asked. */
  fetch(): Promise<void>
  /** Asks once what was made here has arrived: another hub may have named a key for somebody before. Never rejects. */
  learn(): Promise<void>
  /** Keys were made here, or the program was off for a while. */
  due(): void
}

export interface HubKeysDeps extends Pick<SyncPorts, 'store'> {
  state: SyncState
  client(): HubClient
  /** These persons have new keys. */
  onFresh(subjects: readonly string[]): Promise<void>
}

const keysCheck = Compile(KeysAnswer)

export function createHubKeys({ store, state, client, onFresh }: HubKeysDeps): HubKeys {
  let isDue = true

  async function fetch(): Promise<void> {
    const { status, body } = await client().ask('GET', PATHS.keys)
    if (status !== 200 || !keysCheck.Check(body)) throw new Error(`the cloud gave no keys (${status})`)
    const erased = state.erased()
    const writes: Statement[] = []
    const fresh: string[] = []
    for (const [subject, text] of Object.entries(body.keys)) {
      if (erased.has(subject)) continue
      // The household's key first, whatever was made here while nobody could be asked.
      const own = state.subjectKeys(subject).map((key) => key.toString('base64'))
      const ring = [...new Set([text, ...(body.others?.[subject] ?? []), ...own])]
      const keys = ring.map((one) => Buffer.from(one, 'base64'))
      if (ring.join() === own.join() || keys.some(({ length }) => length !== SUBJECT_KEY_BYTES)) continue
      writes.push(state.planSubjectKeys(subject, keys))
      fresh.push(subject)
    }
    if (writes.length === 0) return
    await store.write(writes)
    await onFresh(fresh)
  }

  return {
    fetch,
    due() {
      isDue = true
    },
    async learn() {
      if (!isDue || state.waits('subject_key')) return
      isDue = false
      await fetch().catch(() => {
        isDue = true
      })
    },
  }
}
