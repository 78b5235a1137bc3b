import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareViews, createWatcher, LOOKS, type Luma, shrink } from '../../../../models/vision/kpi/moved.ts'

const WIDTH = 640
const HEIGHT = 360

interface Look {
  dx?: number
  dy?: number
  gain?: number
  people?: number
  seed?: number
}

/** A yard with buildings, lines and trees; people are dark posts at places that change. */
function yard({ dx = 0, dy = 0, gain = 1, people = 0, seed = 1 }: Look = {}): Luma {
  const data = new Uint8Array(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) data[y * WIDTH + x] = Math.min(255, gain * scene(x + dx, y + dy, seed))
  for (let one = 0; one < people; one++) {
    const left = (one * 211 + people * 97) % (WIDTH - 60)
    for (let y = 120; y < 320; y++) data.fill(20, y * WIDTH + left, y * WIDTH + left + 50)
  }
  return shrink({ width: WIDTH, height: HEIGHT, data })
}

/** Patches of about 23 by 19 pixels, each of its own brightness. */
function scene(x: number, y: number, seed: number): number {
  const cell = Math.floor(x / 23) * 131 + Math.floor(y / 19) * 977 + seed * 7717
  return 60 + ((cell * cell * 31 + cell * 17) % 120)
}

test('a camera that stands still is the same, in other light and with people in front of it', () => {
  for (const look of [{}, { gain: 0.7 }, { gain: 1.3 }, { people: 1 }, { people: 4 }])
    assert.equal(compareViews(yard(), yard(look)).view, 'same', JSON.stringify(look))
})

test('a shift of a hundredth of the width, up, down or sideways, is a camera that moved', () => {
  for (const look of [
    { dx: 7 },
    { dx: -8 },
    { dy: 7 },
    { dx: 12, dy: -9, people: 3 },
    { dx: 16, gain: 0.8 },
  ]) {
    const { view, shiftPx } = compareViews(yard(), yard(look))
    assert.equal(view, 'moved', JSON.stringify(look))
    assert.ok(
      shiftPx !== null && Math.abs(shiftPx - Math.hypot(look.dx ?? 0, look.dy ?? 0) / 4) < 0.4,
      `${shiftPx}`,
    )
  }
})

test('a camera that looks elsewhere has moved, one in the dark is unclear', () => {
  assert.equal(compareViews(yard(), yard({ seed: 5 })).view, 'moved')
  assert.equal(compareViews(yard(), yard({ gain: 0 })).view, 'unclear')
  assert.equal(compareViews(yard({ gain: 0 }), yard()).view, 'unclear')
})

test('people where they were seen are left out', () => {
  const crowd = Array.from({ length: 9 }, (_, at) => ({ x: at * 18, y: 0, w: 16, h: 90 }))
  assert.ok(compareViews(yard(), yard(), crowd).blocks < compareViews(yard(), yard()).blocks)
})

test('one odd look is not enough, and a camera that is put back is well again', () => {
  const watcher = createWatcher()
  const moved = compareViews(yard(), yard({ dx: 10 }))
  const same = compareViews(yard(), yard())
  assert.deepEqual([moved, same, moved, moved].map(watcher.look), [false, false, false, false])
  assert.equal(LOOKS, 3)
  assert.equal(watcher.look(moved), true)
  assert.equal(watcher.look(same), false)
})
