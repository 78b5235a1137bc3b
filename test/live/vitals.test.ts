import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredObservation } from '../../daemon/domain/observation.ts'
import type { Audience } from '../../daemon/live/frame.ts'
import { createLive } from '../../daemon/live/live.ts'
import { publishVitals } from '../../daemon/live/vitals.ts'
import { fakeClock } from '../fakes/clock.ts'

interface Vitals {
  seq: number
  data: {
    person_id: string
    values: Record<string, { value: unknown; ts: string; unit: string; device: string }>
  }
}

function setup(accepts: (audience: Audience) => boolean = () => true) {
  const clock = fakeClock()
  const live = createLive({ clock, base: 0 })
  const sent: Vitals[] = []
  let commit: (rows: readonly StoredObservation[]) => void = () => {}
  const stop = publishVitals({
    live,
    clock,
    onCommitted(listener) {
      commit = listener
      return () => {
        commit = () => {}
      }
    },
  })
  const sink = {
    send: (text: string) => void sent.push(JSON.parse(text) as Vitals),
    bufferedBytes: () => 0,
    cutOff() {},
  }
  live.subscribe(sink, accepts).add('person:mia')
  const stored = (metric: string, value: number, atMs = clock.now()): StoredObservation => ({
    personId: 'mia',
    deviceId: 'watch-1',
    metric,
    atMs,
    value,
    source: 'gatt',
    quality: null,
    extra: null,
    revision: 0,
  })
  return { clock, sent, stop, stored, commit: (...rows: StoredObservation[]) => commit(rows) }
}

test('the first value goes out at once, with its source and device', () => {
  const { sent, commit, stored } = setup()
  commit(stored('heart_rate', 72))
  assert.deepEqual(sent[0]?.data, {
    person_id: 'mia',
    values: {
      heart_rate: {
        value: 72,
        unit: 'bpm',
        ts: '2026-03-14T08:00:00.000Z',
        source: 'gatt',
        device: 'watch-1',
      },
    },
  })
})

test('values of one person go out at most four times a second, the newest of each metric', () => {
  const { clock, sent, commit, stored } = setup()
  for (let i = 0; i < 40; i += 1) {
    commit(stored('heart_rate', 60 + i))
    clock.advance(25)
  }
  clock.advance(250)
  assert.equal(sent.length, 5)
  assert.equal(sent.at(-1)?.data.values['heart_rate']?.value, 99)
})

test('a value that arrives late does not stand in front of a newer one', () => {
  const { clock, sent, commit, stored } = setup()
  commit(stored('heart_rate', 72))
  clock.advance(1000)
  commit(stored('heart_rate', 55, clock.now() - 3_600_000))
  clock.advance(1000)
  assert.equal(sent.length, 1)
})

test('glucose reaches only those who may see glucose, heart rate those who may see wellness', () => {
  const { sent, commit, stored } = setup((audience) => 'class' in audience && audience.class === 'wellness')
  commit(stored('glucose', 110), stored('heart_rate', 72))
  assert.deepEqual(
    sent.map(({ data }) => Object.keys(data.values)),
    [['heart_rate']],
  )
})

test('states are shown as words', () => {
  const { sent, commit, stored } = setup()
  commit(stored('sleep_state', 2))
  assert.equal(sent[0]?.data.values['sleep_state']?.value, 'deep')
})

test('nothing goes out after it was stopped', () => {
  const { clock, sent, commit, stop, stored } = setup()
  commit(stored('heart_rate', 72))
  commit(stored('heart_rate', 73))
  stop()
  clock.advance(1000)
  assert.equal(sent.length, 1)
})
