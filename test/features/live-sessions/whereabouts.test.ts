import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LostPlayer, mayBe, type NewTrack } from '../../../daemon/features/live-sessions/whereabouts.ts'

const track = (key: string, x: number | null, firstAtMs = 3000): NewTrack => ({
  ...{ key, firstAtMs },
  place: x === null ? null : { x, y: 0 },
})
const lost = (personId: string, x: number | null, lastAtMs = 0): LostPlayer => ({
  ...{ personId, lastAtMs },
  place: x === null ? null : { x, y: 0 },
})
const guesses = (tracks: NewTrack[], players: LostPlayer[]) => Object.fromEntries(mayBe(tracks, players))

test('players who come back near where they were lost are each the one and only guess', () => {
  assert.deepEqual(guesses([track('a', 1), track('b', 21)], [lost('mia', 0), lost('leo', 20)]), {
    ...{ a: ['mia'], b: ['leo'] },
  })
})

test('between two who were lost close together nobody is chosen, the nearer one is named first', () => {
  assert.deepEqual(guesses([track('a', 4)], [lost('mia', 0), lost('leo', 5)]), { a: ['leo', 'mia'] })
})

test('two who appear where one was lost are both asked about', () => {
  const both = guesses([track('a', 1), track('b', 2)], [lost('mia', 0), lost('leo', 30)])
  assert.deepEqual([both['a']?.length, both['b']?.length], [2, 2])
})

test('nobody is who would have had to fly, was lost too long ago or is new to the session', () => {
  assert.deepEqual(guesses([track('a', 100)], [lost('mia', 0)]), { a: [] })
  assert.deepEqual(guesses([track('a', 0, 700_000)], [lost('mia', 0)]), { a: [] })
  assert.deepEqual(guesses([track('a', 0)], []), { a: [] })
})

test('without metres one who is missing may be the one who is new, and of two a person has to say', () => {
  assert.deepEqual(guesses([track('a', null)], [lost('mia', null)]), { a: ['mia'] })
  assert.equal(guesses([track('a', null)], [lost('mia', null), lost('leo', null)])['a']?.length, 2)
})
