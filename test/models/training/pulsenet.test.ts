import assert from 'node:assert/strict'
import test from 'node:test'
import { createTrainer, drawLayers } from '../../../models/training/layers.ts'
import { fitPulseNet } from '../../../models/training/pulsenet-fit.ts'
import { rowsOf } from '../../../models/training/pulsenet-rows.ts'
import { createDraw } from '../../../models/training/random.ts'
import { drawPerson } from '../../../models/training/vitals-events.ts'

test('a seed gives the same people and the same net to the last digit', () => {
  const made = () => drawPerson({ days: 4, quietDays: 3, eventsPerDay: 2 }, createDraw(3))
  assert.deepEqual(made(), made())
  const fitted = () =>
    fitPulseNet([rowsOf(made())], { hidden: [4], epochs: 1, batch: 64, rate: 1e-3 }, createDraw(9))
  assert.deepEqual(fitted(), fitted())
})

test('slopes of the net are those that differences of its outputs show', () => {
  const draw = createDraw(2)
  const layers = drawLayers([3, 4, 2], draw)
  const input = Float64Array.from([0.3, -1.2, 0.7])
  const loss = () => {
    const [a = 0, b = 0] = createTrainer(layers).forward(input)
    return a * 2 - b
  }
  const before = loss()
  const weights = layers[0]!.weights
  const kept = weights[5]!
  weights[5] = kept + 1e-6
  const slope = (loss() - before) / 1e-6
  weights[5] = kept
  // One step of Adam moves each number by the rate against the sign of its slope.
  const trainer = createTrainer(layers, 0)
  trainer.forward(input)
  trainer.backward(Float64Array.from([2, -1]))
  trainer.step(1e-3)
  assert.ok(Math.abs(slope) > 1e-4)
  assert.ok(Math.abs(weights[5]! - (kept - 1e-3 * Math.sign(slope))) < 1e-8)
})

test('events keep apart from each other and from the quiet days', () => {
  for (let seed = 0; seed < 8; seed += 1) {
    const { events, minutes } = drawPerson({ days: 8, quietDays: 3, eventsPerDay: 2 }, createDraw(seed))
    assert.ok(events.length >= 5)
    events.forEach(({ start, end }, at) => {
      assert.ok(start >= 4320 && end < minutes.length)
      const next = events[at + 1]
      if (next) assert.ok(next.start > end + 60)
    })
  }
})
