import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor, DataClass } from '../../../daemon/domain/access.ts'
import { refuseRecording } from '../../../daemon/features/live-sessions/recording.ts'

const coach = (...classes: DataClass[]): Actor => ({
  ...{ kind: 'user', userId: 'coach', signInId: 'phone', role: 'coach', personId: null },
  grants: classes.map((one) => ({ personId: 'mia', class: one, action: 'read', expiresAtMs: null })),
})
const ask = (actor: Actor, age: number | null, recordMinors = false, personIds = ['mia']) =>
  refuseRecording(actor, { personIds, recordMinors }, { ageOf: () => age, nowMs: 0 })

test('recording needs the media of every player, and an owner where minors may be filmed', () => {
  const forbidden = { code: 'FORBIDDEN' }
  const owner: Actor = { kind: 'local', role: 'owner' }
  assert.throws(() => ask(coach('training'), 30), forbidden)
  ask(coach('training', 'media'), 30)
  assert.throws(() => ask(coach('training', 'media'), 17), forbidden)
  assert.throws(() => ask(coach('training', 'media'), 17, true), forbidden)
  assert.throws(() => ask(owner, null), forbidden)
  assert.throws(() => ask(owner, 30, false, []), forbidden)
  ask(owner, 17, true)
})
