import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { leftBehind, MINUTE } from '../alerts/setup.ts'
import { racing, setup, startAgain } from './setup.ts'

/** What the watch over vitals writes; whom the ladder has told meanwhile is another part's. */
const OWN = ['opened', 'evidence', 'cleared', 'resolved']

/** What is odd about Mia now, and what the hub knows of it, but for the ids of rows. */
async function judged({ state, episodes, data }: Awaited<ReturnType<typeof startAgain>>) {
  const found = await episodes()
  const timelines = await Promise.all(
    found.map(async ({ id }) =>
      (await data(`/episodes/${id}`)).timeline
        .filter(({ kind }: { kind: string }) => OWN.includes(kind))
        .map(({ kind, evidence }: Record<string, unknown>) => ({ kind, evidence })),
    ),
  )
  return { now: await state(), episodes: found.map(({ state: one }) => one), timelines }
}

test('a hub that stops or is killed goes on to the digit where it was, without learning anew', async (t) => {
  const first = await setup(t)
  const { clock, night, folder, wear } = first
  await first.vitals.calibrate()
  const course = (from: number, to: number): VitalMinute[] =>
    night.slice(from, to).map((one, at) => (from + at >= 65 && from + at < 75 ? racing(one, at) : one))
  await wear(course(0, 70))
  const at = clock.now()
  const dead = leftBehind(t, folder)
  await wear(course(70, 110))
  const going = await judged(first)
  assert.deepEqual(going.episodes, ['resolved'])
  await first.close()
  for (const times of [1, 3]) {
    const again = fakeClock(at)
    let left = leftBehind(t, dead)
    for (let life = 0; life < times; life += 1) {
      const home = await startAgain(t, left, again)
      const next = 70 + Math.round((40 * life) / times)
      await home.wear(course(next, 70 + Math.round((40 * (life + 1)) / times)))
      if (life === times - 1) assert.deepEqual(await judged(home), going, `${times} kills`)
      const after = leftBehind(t, left)
      await home.close()
      left = after
    }
  }
})

test('a hub that was told to stop needs nothing of the past but what it kept', async (t) => {
  const first = await setup(t)
  const { clock, night, folder, wear } = first
  await first.vitals.calibrate()
  await wear(night.slice(0, 40))
  const before = await first.state()
  await first.close()
  const second = await startAgain(t, folder, clock)
  assert.deepEqual(await second.state(), before)
  assert.equal(second.vitals.stats().people, 1)
})

test('after a day without the hub what is usual is still known, and nothing of that day is told', async (t) => {
  const first = await setup(t)
  const { clock, night, folder } = first
  await first.vitals.calibrate()
  const learnt = (await first.state()).learnt
  await first.close()
  clock.advance(26 * 60 * MINUTE)
  const second = await startAgain(t, folder, clock)
  assert.equal((await second.state()).status, 'silent')
  await second.wear(night.slice(120, 140))
  const shown = await second.state()
  assert.deepEqual([shown.status, shown.learnt], ['usual', learnt])
  assert.deepEqual(await second.episodes(), [])
})

test('what another model left, or what cannot be read, is learnt anew', async (t) => {
  const first = await setup(t)
  const { clock, folder } = first
  await first.vitals.calibrate()
  const { learnt } = await first.state()
  await first.close()
  clock.advance(MINUTE)
  for (const spoilt of ["model = 'pulsenet 0 1'", "profile = '{'"]) {
    const home = await startAgain(t, leftBehind(t, folder), clock)
    assert.equal((await home.state()).learnt.at, learnt.at, 'kept until it is spoilt')
    await home.store.write([{ sql: `UPDATE vital_watch SET ${spoilt}`, expect: 1 }])
    const left = leftBehind(t, home.folder)
    await home.close()
    const anew = await startAgain(t, left, clock)
    assert.ok((await anew.state()).learnt.at > learnt.at, spoilt)
    await anew.close()
  }
})
