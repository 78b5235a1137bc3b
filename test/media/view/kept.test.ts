import assert from 'node:assert/strict'
import test from 'node:test'
import { createLog } from '../../../daemon/kernel/log.ts'
import type { AccessUnit } from '../../../daemon/media/source.ts'
import { createKeptPictures } from '../../../daemon/media/view/kept.ts'
import type { JpegPicture } from '../../../daemon/media/view/pictures.ts'
import { fakeClock } from '../../fakes/clock.ts'

function setup() {
  const clock = fakeClock()
  const listeners = new Set<() => void>()
  const units: AccessUnit[] = []
  let newest: JpegPicture | null = null
  let answer: Promise<JpegPicture | null> | null = null
  const kept = createKeptPictures({
    clock,
    log: createLog('silent'),
    pictures: {
      newest: () => answer ?? Promise.resolve(newest),
      onPicture(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
  })
  const show = async (seq: number) => {
    newest = { seq, jpeg: Uint8Array.of(0xff, 0xd8, seq), capturedAtMs: clock.now() - 40 }
    for (const listener of listeners) listener()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const hold = (promise: Promise<JpegPicture | null> | null) => {
    answer = promise
  }
  return { clock, kept, units, listeners, show, hold }
}

test('a phone’s pictures are kept as JPEGs with their times, ten a second at most', async () => {
  const { clock, kept, units, show } = setup()
  kept.onUnit((unit) => units.push(unit))
  for (let seq = 1; seq <= 30; seq += 1) {
    await show(seq)
    clock.advance(33)
  }
  assert.equal(units.length, 10)
  assert.ok(units.every(({ codec, keyframe }) => codec === 'jpeg' && keyframe))
  assert.ok(units.every(({ capturedAtMs, arrivedAtMs }) => arrivedAtMs - capturedAtMs === 40))
})

test('nobody who keeps, nothing is coded; a failure costs one picture', async () => {
  const { clock, kept, units, listeners, show, hold } = setup()
  const end = kept.onUnit((unit) => units.push(unit))
  hold(Promise.reject(new Error('the thread ended')))
  await show(1)
  hold(null)
  clock.advance(100)
  await show(2)
  assert.deepEqual(
    units.map(({ data }) => data[2]),
    [2],
  )
  end()
  assert.equal(listeners.size, 0)
})
