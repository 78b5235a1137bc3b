import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { expireRecordings } from '../../../daemon/features/sessions/expiry.ts'
import { setup } from './setup.ts'

const DAY_MS = 86_400_000

test('recordings of minors go after 14 days, others after 90, and what somebody sent stays', async (t) => {
  const { store, clock, sessions, folder } = await setup(t)
  const atMs = clock.now()
  const record = async (id: string, personId: string | null, camera: string | null, recordMinors = false) => {
    const session = await sessions.register.add({
      ...{ id, sessionType: 'live', title: null, groupId: null, startedAtMs: atMs, endedAtMs: null },
      ...{ durationMinutes: null, metadata: {}, kpis: null, live: false, createdBy: null },
      ...{ asked: { recordMinors }, playerIds: personId === null ? [] : [personId] },
    })
    const file = { id, sessionKey: session.key, name: 'a.mp4', mediaType: 'video/mp4', camera }
    await sessions.files.record(
      { ...file, fromAtMs: atMs, createdBy: null, createdAtMs: atMs },
      Readable.from([Buffer.from('1234')]),
      () => atMs,
    )
  }
  await record('child', 'mia', 'yard')
  await record('adult', 'leo', 'yard')
  await record('nobody', null, 'yard')
  await record('leave', 'leo', 'yard', true)
  await record('sent', 'mia', null)
  const ages: Record<string, number> = { mia: 12, leo: 40 }
  const expire = () =>
    expireRecordings(
      { store, files: sessions.files, now: clock.now, ageAt: (personId) => ages[personId] ?? null },
      new AbortController().signal,
    )
  const left = () => readdirSync(join(folder, 'sessions')).sort()
  clock.advance(14 * DAY_MS - 1)
  assert.deepEqual(await expire(), { files: 0, bytes: 0 })
  clock.advance(1)
  assert.deepEqual(await expire(), { files: 3, bytes: 12 })
  assert.deepEqual(left(), ['adult', 'sent'])
  clock.advance(76 * DAY_MS)
  assert.deepEqual(await expire(), { files: 1, bytes: 4 })
  assert.deepEqual(left(), ['sent'])
})
