import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { BUNDLED_FOLDER, knownModels } from '../../../models/manifest.ts'
import { loadPulseNet } from '../../../models/pulsenet.ts'
import { ALARM_P, calibrateAnomaly, createAnomaly } from '../../../models/series/anomaly.ts'
import { EVIDENCE_SIZE } from '../../../models/series/anomaly-evidence.ts'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { readDenseNet } from '../../../models/series/dense-net.ts'
import { openOnnx } from '../../../models/session.ts'
import { alarmsOf, scoreAlarms } from '../../../models/training/event-score.ts'
import { exportDense } from '../../../models/training/export-dense.ts'
import { drawLayers } from '../../../models/training/layers.ts'
import { createDraw } from '../../../models/training/random.ts'
import { drawPerson, type Kind } from '../../../models/training/vitals-events.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'

const CALIBRATION = 4320

/** A slow fever may pass unseen; these do not. */
const PLAIN: readonly Kind[] = ['tachy_rest', 'brady_sleep', 'hrv_collapse', 'irregular', 'sensor_frozen']

/** Mia's eight days; three of them ordinary, something in each of the others. */
function setup(seed = 31_338) {
  const { minutes, events } = drawPerson(
    { days: 8, quietDays: 3, eventsPerDay: 1, isPlain: true, kinds: PLAIN },
    createDraw(seed),
  )
  const { net, population, checks } = loadPulseNet()
  const profile = calibrateAnomaly(net, minutes.slice(0, CALIBRATION))
  return { minutes, events, net, population, checks, profile }
}

test('a person is judged by their own pattern: what was planted is found, hardly anything else', () => {
  const { minutes, events, ...deps } = setup()
  const anomaly = createAnomaly(deps)
  const rings = Float64Array.from(minutes, (minute) => (anomaly.step(minute).p <= ALARM_P ? 1 : 0))
  const score = scoreAlarms(alarmsOf(rings, 1, CALIBRATION), events)
  assert.deepEqual([score.hit, score.events], [events.length, 5])
  assert.ok(score.falseAlarms <= 2, `${score.falseAlarms} false alarms in five days`)
})

test('the channel that left its pattern comes first, with what was expected and what was seen', () => {
  const { minutes, ...deps } = setup()
  const anomaly = createAnomaly(deps)
  for (const minute of minutes.slice(0, CALIBRATION + 120)) anomaly.step(minute)
  const night = minutes[CALIBRATION + 120]!
  let last = anomaly.step(night)
  const before = last.channels.find(({ channel }) => channel === 'hr')!.expected
  for (let t = 0; t < 12; t += 1)
    last = anomaly.step({ ...night, hr: before + 45 + (t % 3), steps: 0, minuteOfDay: night.minuteOfDay + t })
  const [first] = last.channels
  assert.equal(first!.channel, 'hr')
  assert.ok(Math.abs(first!.expected - before) < 5, `expected ${first!.expected}, before ${before}`)
  assert.ok(first!.seen! > before + 44)
  assert.ok(first!.distance > 3 && first!.share > 0.5)
  assert.ok(last.p <= ALARM_P)
})

test('a person whose sensors are silent is not judged, and one without HRV still is', () => {
  const { minutes, net, population, checks } = setup()
  const silent = (minute: VitalMinute): VitalMinute => ({ ...minute, hr: null, hrv: null })
  const quiet = createAnomaly({
    net,
    population,
    checks,
    profile: calibrateAnomaly(net, minutes.slice(0, CALIBRATION)),
  })
  for (const minute of minutes.slice(0, 60)) quiet.step(minute)
  const steps = minutes.slice(60, 90).map((minute) => quiet.step(silent(minute)))
  assert.deepEqual(steps.at(-1), { score: null, p: 1, channels: [], repeats: 0, checks: [] })

  const withoutHrv = minutes.map((minute) => ({ ...minute, hrv: null }))
  const profile = calibrateAnomaly(net, withoutHrv.slice(0, CALIBRATION))
  assert.equal(profile.expectations.hrv, null)
  const step = createAnomaly({ net, population, checks, profile }).step(withoutHrv[600]!)
  assert.deepEqual(
    step.channels.map(({ channel }) => channel),
    ['hr'],
  )
})

test('state and profile survive as JSON: the next minute is judged as if nothing had happened', () => {
  const { minutes, ...deps } = setup()
  const going = createAnomaly(deps)
  for (const minute of minutes.slice(0, 5000)) going.step(minute)
  const kept = JSON.parse(JSON.stringify({ state: going.state(), profile: deps.profile })) as Pick<
    Parameters<typeof createAnomaly>[0],
    'profile'
  > & { state: ReturnType<typeof going.state> }
  const resumed = createAnomaly({ ...deps, ...kept })
  for (const minute of minutes.slice(5000, 5200)) assert.deepEqual(resumed.step(minute), going.step(minute))
})

test("the hub's own models give what ONNX Runtime gives, and are the files of the manifest", async () => {
  for (const known of knownModels().filter(({ trained }) => trained !== undefined)) {
    const bytes = readFileSync(new URL(known.file, BUNDLED_FOLDER))
    assert.equal(bytes.length, known.bytes)
    const net = readDenseNet(bytes)
    assert.deepEqual([net.inputs, net.outputs], [known.input.shape[1], known.outputs[0]!.shape[1]])
    const draw = createDraw(5)
    const rows = known.input.shape[0]!
    const input = Float32Array.from({ length: net.inputs * rows }, () => draw.normal(0, 1.5))
    const model = await openOnnx({ ...known, path: known.file, bytes: bytes.length }, bytes)
    const { output } = await model.run(input)
    await model.close()
    const ours = Array.from({ length: rows }, (_, row) => [
      ...net.run(input.subarray(row * net.inputs, (row + 1) * net.inputs)),
    ]).flat()
    ours.forEach((value, at) => {
      assert.ok(Math.abs(value - output![at]!) < 1e-3, `${known.name} ${at}: ${value}, ${output![at]}`)
    })
  }
})

test('a net of other operators is refused instead of read wrongly', () => {
  const file = exportDense(drawLayers([3, 2, 1], createDraw(1)), { name: 'net', rows: 1 })
  assert.equal(readDenseNet(file).run([0, 0, 0]).length, 1)
  const other = Buffer.from(file)
  other.write('Relu', other.indexOf('Tanh'))
  assert.throws(() => readDenseNet(other), UnreadableInput)
})

test('the net reads as many numbers as the evidence holds', () => {
  assert.equal(loadPulseNet().net.inputs, EVIDENCE_SIZE)
})
