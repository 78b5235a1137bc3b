import assert from 'node:assert/strict'
import test from 'node:test'
import { createChoice, ladderOf } from '../../../daemon/media/vision/choice.ts'
import { createTimings } from '../../../daemon/media/vision/statistics.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { installedModel } from './scene.ts'

const FULL = installedModel('full', 'blazepose-landmarks', 6_000_000)
const LITE = installedModel('lite', 'blazepose-landmarks', 2_000_000)
const NANO = installedModel('nano', 'yolox', 3_600_000)
const TINY = installedModel('tiny', 'yolox', 20_000_000)
const BLAZE = installedModel('blaze', 'blazepose-detector', 6_000_000)

/** A box on which each model takes so many milliseconds, as measured on a clock that only the test moves. */
function setup(models = [BLAZE, NANO, LITE, FULL]) {
  const clock = fakeClock()
  const choice = createChoice(models)
  const costs: Record<string, number> = {}
  const measured = (name: string) => {
    const timings = createTimings()
    const before = clock.monotonic()
    clock.advance(costs[name] ?? 0)
    timings.add(name, clock.monotonic() - before)
    return costs[name] === undefined ? null : timings.of(name)
  }
  const now = () => {
    const { detector, landmarks, detectEvery } = choice.current()!
    return `${detector.file.name}/${landmarks?.name} every ${detectEvery}`
  }
  return {
    choice,
    costs,
    now,
    /** Weighs once a second; answers every rung it was on, in order. */
    run(seconds: number, { people = 2, cameras = 1 } = {}) {
      const rungs = [now()]
      for (let second = 0; second < seconds; second++) {
        choice.weigh({ of: measured, people, cameras }, second * 1000 + offset)
        if (rungs.at(-1) !== now()) rungs.push(now())
      }
      offset += seconds * 1000
      return rungs
    },
  }
}

let offset = 0
test.beforeEach(() => {
  offset = 0
})

test('a box with room climbs to the best way to look, one rung at a time', () => {
  const { costs, run } = setup()
  Object.assign(costs, { nano: 15, full: 16, lite: 12 })
  assert.deepEqual(run(60), ['nano/full every 3', 'nano/full every 2'])
})

test('a box that is too slow goes down until it keeps up, and stays there', () => {
  const { costs, run, choice } = setup()
  Object.assign(costs, { nano: 120, full: 90, lite: 30 })
  const rungs = run(40, { people: 2 })
  assert.deepEqual(
    rungs,
    ['nano/full every 3', 'nano/lite every 3', 'nano/lite every 6'].slice(0, rungs.length),
  )
  assert.equal(rungs.at(-1), 'nano/lite every 3', '100 ms a frame is fast enough')
  assert.match(choice.note(), /more than that gave 5 frames a second/)
  assert.deepEqual(run(60, { people: 2 }), ['nano/lite every 3'])
})

test('a slow moment shorter than four seconds changes nothing', () => {
  const { costs, run } = setup([NANO, FULL, LITE])
  for (let turn = 0; turn < 5; turn++) {
    Object.assign(costs, { nano: 300, full: 100, lite: 90 })
    assert.equal(run(3).length, 1)
    Object.assign(costs, { nano: 40, full: 30, lite: 25 })
    assert.equal(run(3).length, 1)
  }
})

test('a box on the edge does not swing: a rung that was too slow is left alone for two minutes', () => {
  const { costs, run } = setup([NANO, FULL, LITE])
  const at = { slow: { nano: 60, full: 55, lite: 10 }, fast: { nano: 30, full: 20, lite: 8 } }
  Object.assign(costs, at.slow)
  assert.deepEqual(run(10), ['nano/full every 3', 'nano/lite every 3'])
  Object.assign(costs, at.fast)
  assert.deepEqual(run(90), ['nano/lite every 3'], 'it has room, but was burnt lately')
  assert.deepEqual(run(90), ['nano/lite every 3', 'nano/full every 3', 'nano/full every 2'])
})

test('more people or cameras cost rungs, and fewer give them back', () => {
  const { costs, run } = setup([NANO, FULL, LITE])
  Object.assign(costs, { nano: 20, full: 16, lite: 8 })
  assert.equal(run(40, { people: 2 }).at(-1), 'nano/full every 2')
  assert.equal(run(40, { people: 10 }).at(-1), 'nano/lite every 3')
  assert.equal(run(40, { people: 10, cameras: 4 }).at(-1), 'nano/lite every 6')
  assert.equal(run(400, { people: 1 }).at(-1), 'nano/full every 2')
})

test('models that never ran are guessed by their size, and a large detector has to be earned', () => {
  const { costs, run, now } = setup([TINY, NANO, FULL, LITE])
  assert.equal(now(), 'nano/full every 3')
  Object.assign(costs, { nano: 4, full: 6, lite: 4 })
  assert.ok(run(200, { people: 1 }).at(-1)!.startsWith('tiny/'))
  const slow = setup([TINY, NANO, FULL, LITE])
  Object.assign(slow.costs, { nano: 100, full: 20, lite: 12 })
  assert.ok(slow.run(200, { people: 1 }).every((rung) => rung.startsWith('nano/')))
})

test('RTMPose is used with YOLOX when it is installed; BlazePose’s search keeps its own judge', () => {
  const rtm = installedModel('rtm', 'rtmpose', 13_000_000)
  const poses = (models: Parameters<typeof ladderOf>[0]) =>
    ladderOf(models).map(({ landmarks }) => landmarks?.name)
  assert.deepEqual(new Set(poses([NANO, FULL, LITE, rtm])), new Set(['rtm', 'lite']))
  assert.deepEqual(new Set(poses([BLAZE, FULL, LITE, rtm])), new Set(['full', 'lite']))
})
