/** The hub dies while it forgets somebody: at its next start it goes on until nothing is left. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeTemporaryData, startHub, temporaryData } from '../../scripts/bench/hub-process.ts'

after(removeTemporaryData)
const CANARY = 'canary-words-of-a-child'
/** Milliseconds after the second yes. */
const ROUNDS = [0, 30]

function found(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(CANARY))
}

test('a hub killed while it forgets somebody forgets them after its next start', async () => {
  for (const waitMs of ROUNDS) {
    const dataDir = temporaryData()
    const hub = await startHub(dataDir)
    await hub.control.call('POST', '/people', { id: 'mia', name: CANARY })
    for (let day = 1; day <= 9; day += 1)
      await hub.control.call('POST', '/journal', {
        person_id: 'mia',
        date: `2026-03-0${day}`,
        energy: 5,
        notes: CANARY,
      })
    await hub.control.call('POST', '/system/snapshots', {})
    const asked = await hub.control.call('POST', '/privacy/erase', { person_id: 'mia' })
    const token: unknown = Reflect.get(Object(asked), 'token')
    const { job_id: jobId } = Object(await hub.control.call('POST', '/privacy/erase/confirm', { token }))
    await sleep(waitMs)
    await hub.kill('SIGKILL')
    const again = await startHub(dataDir)
    try {
      for (let tries = 0; ; tries += 1) {
        const { status, error } = Object(await again.control.call('GET', `/jobs/${jobId}`))
        if (status === 'finished') break
        assert.notEqual(status, 'failed', error)
        assert.ok(tries < 300, 'it did not end')
        await sleep(50)
      }
      assert.deepEqual(found(dataDir), [], `killed after ${waitMs} ms`)
      const verified = Object(await again.control.call('GET', '/privacy/audit/verify'))
      assert.equal(verified.problem, null)
    } finally {
      await again.kill('SIGTERM')
    }
  }
})
