import assert from 'node:assert/strict'
import test from 'node:test'
import { loadPulseNet } from '../../../models/pulsenet.ts'
import {
  type AnomalyState,
  type AnomalyStep,
  calibrateAnomaly,
  createAnomaly,
  isAlarming,
  isCalm,
  isFailed,
} from '../../../models/series/anomaly.ts'
import { CHECK_P, checkScores, freshChecks, repeatingOf } from '../../../models/series/anomaly-checks.ts'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { readDenseNet } from '../../../models/series/dense-net.ts'
import { exportDense } from '../../../models/training/export-dense.ts'
import { drawLayers } from '../../../models/training/layers.ts'
import { createDraw } from '../../../models/training/random.ts'
import { drawPerson } from '../../../models/training/vitals-events.ts'

const CALIBRATION = 4320

/** A net that was taught nothing at all: whatever rings is a check's doing. */
function setup(change: (minute: VitalMinute, t: number) => VitalMinute = (minute) => minute) {
  const net = readDenseNet(exportDense(drawLayers([31, 1], createDraw(1)), { name: 'net', rows: 1 }))
  const { minutes } = drawPerson(
    { days: 5, quietDays: 5, eventsPerDay: 0, isPlain: true },
    createDraw(31_338),
  )
  const noise = createDraw(7)
  // A watch with an oxygen sensor, on somebody who has 96 %.
  const worn = minutes.map((minute, t) =>
    change({ ...minute, spo2: minute.hr === null ? null : Math.round(noise.normal(96, 0.8)) }, t),
  )
  const { population, checks } = loadPulseNet()
  const profile = calibrateAnomaly(net, worn.slice(0, CALIBRATION))
  const anomaly = createAnomaly({ net, population, checks, profile })
  for (const minute of worn.slice(0, CALIBRATION)) anomaly.step(minute)
  const failedIn = (minutes: readonly VitalMinute[]) =>
    minutes.map((minute) =>
      anomaly
        .step(minute)
        .checks.filter((check) => isFailed(check))
        .map(({ name }) => name),
    )
  return { anomaly, worn, later: worn.slice(CALIBRATION), failedIn }
}

test('a watch that repeats itself is found by the check alone, minutes after it began, and not before ten', () => {
  const { later, failedIn } = setup()
  assert.ok(failedIn(later.slice(0, 300)).every((names) => names.length === 0))
  const last = later[299]!
  const stuck = later.slice(300, 330).map((minute) => ({ ...minute, hr: last.hr, hrv: last.hrv, spo2: null }))
  const found = failedIn(stuck).findIndex((names) => names.includes('repeats'))
  assert.ok(found >= 9 && found <= 20, `found in minute ${found}`)
  assert.ok(failedIn(later.slice(330, 400)).every((names) => !names.includes('repeats')))
})

test('oxygen below the own range is found by the check alone; two low values among good ones are a loose watch', () => {
  const { later, failedIn } = setup()
  const low = (minute: VitalMinute) => ({ ...minute, spo2: 86 })
  const glitch = later.slice(0, 200).map((minute, t) => (t % 60 < 2 ? low(minute) : minute))
  assert.ok(failedIn(glitch).every((names) => !names.includes('low_oxygen')))
  const found = failedIn(later.slice(200, 210).map(low)).findIndex((names) => names.includes('low_oxygen'))
  assert.ok(found >= 2 && found <= 4, `found in minute ${found}`)
})

test('whose watch always holds its values for a while is not rung for it', () => {
  const held = (minute: VitalMinute, t: number): VitalMinute => ({
    ...minute,
    // One measurement in a quarter of an hour, told every minute.
    hr: 60 + (Math.floor(t / 15) % 7),
    hrv: null,
    spo2: null,
  })
  const { later, failedIn } = setup(held)
  assert.ok(failedIn(later).every((names) => names.length === 0))
})

test('the line of the checks moves with that of the net, and calm is well away from either', () => {
  const step = (p: number): Pick<AnomalyStep, 'p' | 'checks'> => ({ p: 1, checks: [{ name: 'repeats', p }] })
  assert.deepEqual(
    [isAlarming(step(CHECK_P)), isAlarming(step(CHECK_P * 1.01)), isAlarming(step(CHECK_P), 1 / 480)],
    [true, false, false],
  )
  assert.deepEqual([isCalm(step(CHECK_P * 2)), isCalm(step(CHECK_P * 4))], [false, true])
})

test('short silences keep a run, long ones end it, and a run is not counted while HRV moves', () => {
  const minute = (hr: number | null, hrv: number | null = null): VitalMinute => ({
    ...{ minuteOfDay: 0, steps: null, spo2: null, temp: null },
    hr,
    hrv,
  })
  const run = (minutes: readonly VitalMinute[]) => {
    const state = freshChecks()
    return minutes.map((one) => checkScores(state, one, null, 0.1).repeats)
  }
  const gap = run([...Array(12).fill(minute(60)), minute(null), minute(60)])
  assert.ok(gap.at(-1)! > gap.at(-3)!)
  const silent = run([...Array(12).fill(minute(60)), ...Array(15).fill(minute(null)), minute(60)])
  assert.deepEqual(silent.slice(-2), [null, 0])
  assert.equal(run(Array.from({ length: 20 }, (_, t) => minute(60, 40 + t))).at(-1), 0)
  assert.equal(
    repeatingOf([minute(60), minute(60), minute(61)], () => true),
    1.5 / 3,
  )
})

test('the checks go on from their state as JSON', () => {
  const { anomaly, later } = setup()
  const last = later[0]!
  for (let t = 0; t < 9; t += 1) anomaly.step({ ...last, minuteOfDay: t })
  const kept = JSON.parse(JSON.stringify(anomaly.state())) as AnomalyState
  assert.deepEqual(kept, anomaly.state())
  assert.ok(kept.checks.repeats >= 8)
})
