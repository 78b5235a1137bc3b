/** Filming with a phone, without a browser: what the page says when the camera goes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createFilm } from '../../../daemon/ui/areas/training/filming.ts'

class Track extends EventTarget {
  stopped = 0
  stop() {
    this.stopped += 1
  }
}

function setup(t: TestContext) {
  const track = new Track()
  const stream = { getTracks: () => [track], getVideoTracks: () => [track] }
  const browser = {
    window: { isSecureContext: true },
    navigator: {
      mediaDevices: { getUserMedia: async () => stream },
      wakeLock: { request: () => Promise.reject(new Error('asleep')) },
    },
    document: new EventTarget(),
  }
  for (const [name, value] of Object.entries(browser)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, { value, configurable: true })
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before)
      else Reflect.deleteProperty(globalThis, name)
    })
  }
  const closed: string[] = []
  const film = createFilm(async () => ({ close: () => void closed.push('closed') }))
  return { film, track, closed }
}

test('a camera that is taken away ends the sending, and the page says so', async (t) => {
  const { film, track, closed } = setup(t)
  await film.start()
  assert.deepEqual(film.state.value, { kind: 'sending' })
  track.dispatchEvent(new Event('ended'))
  assert.deepEqual(film.state.value, { kind: 'failed', why: 'taken-away' })
  assert.deepEqual([film.stream.value, closed, track.stopped], [null, ['closed'], 1])
})

test('a camera that goes after filming was stopped changes nothing', async (t) => {
  const { film, track } = setup(t)
  await film.start()
  film.stop()
  track.dispatchEvent(new Event('ended'))
  assert.deepEqual(film.state.value, { kind: 'idle' })
})
