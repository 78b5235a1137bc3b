import assert from 'node:assert/strict'
import test from 'node:test'
import { type Background, brightness, GRID, motionOf, movingIn } from '../../../models/detect/motion.ts'
import { PEOPLE_SEARCH, squaresOf, tiles } from '../../../models/detect/people.ts'
import { i420Of } from '../../media/vision/scene.ts'

const SIZE = { width: 640, height: 360 }

/** A textured room with noise, and somebody of another brightness in it; `light` is added to everything. */
function room({
  person,
  light = 0,
  seed = 1,
}: {
  person?: { x: number; y: number }
  light?: number
  seed?: number
}) {
  const data = new Uint8Array(SIZE.width * SIZE.height * 3)
  let random = seed
  for (let y = 0; y < SIZE.height; y++)
    for (let x = 0; x < SIZE.width; x++) {
      random = (random * 1103515245 + 12345) % 2 ** 31
      const noise = (random % 13) - 6
      const inside = person && x >= person.x && x < person.x + 50 && y >= person.y && y < person.y + 140
      const value = (inside ? 40 : 110 + ((x >> 5) % 3) * 20) + noise + light
      data.fill(value, (y * SIZE.width + x) * 3, (y * SIZE.width + x) * 3 + 3)
    }
  return { format: 'rgb24' as const, ...SIZE, data }
}

function afterStill(pictures: number) {
  let background: Background = null
  for (let seed = 1; seed <= pictures; seed++)
    background = motionOf(background, brightness(room({ seed }))).background
  return background
}

const count = (moving: Uint8Array) => moving.reduce((sum, cell) => sum + cell, 0)

test('before anything is known everything moves, and a noisy still room does not', () => {
  const first = motionOf(null, brightness(room({})))
  assert.equal(count(first.moving), GRID.across * GRID.down)
  assert.equal(count(motionOf(afterStill(3), brightness(room({ seed: 9 }))).moving), 0)
})

test('only the cells of somebody who comes in move, and a change of the light moves nothing', () => {
  const background = afterStill(3)
  const person = { x: 300, y: 150 }
  const { moving } = motionOf(background, brightness(room({ person, seed: 7, light: 30 })))
  const around = { cx: 325, cy: 220, size: 180, rotation: 0 }
  assert.ok(movingIn(moving, around, SIZE) > 40)
  assert.equal(movingIn(moving, around, SIZE), count(moving), 'nothing elsewhere')
  assert.equal(count(motionOf(background, brightness(room({ seed: 8, light: 30 }))).moving), 0)
})

test('whoever stands still long enough becomes usual', () => {
  let background = afterStill(2)
  const person = { x: 300, y: 150 }
  for (let seed = 1; seed <= 80; seed++)
    background = motionOf(background, brightness(room({ person, seed: (seed % 5) + 1 }))).background
  assert.equal(count(motionOf(background, brightness(room({ person }))).moving), 0)
})

test('a packed and a planar picture are equally bright where it counts', () => {
  const picture = room({ person: { x: 300, y: 150 } })
  const planar = { format: 'i420' as const, ...SIZE, data: i420Of(picture) }
  const { moving } = motionOf(brightness({ ...planar, data: i420Of(room({})) }), brightness(planar))
  const packed = motionOf(brightness(room({})), brightness(picture)).moving
  assert.ok(Math.abs(count(moving) - count(packed)) <= 6)
})

test('a look searches where something moves or somebody is, and every square within a few looks', () => {
  const frame = room({})
  const still = new Uint8Array(GRID.across * GRID.down)
  const search = (
    look: number,
    known: { x: number; y: number; w: number; h: number }[] = [],
    moving = still,
  ) => squaresOf(frame, { look, background: null, known }, moving)
  const all = tiles(frame)
  const seen = new Set<string>()
  for (let look = 0; look < PEOPLE_SEARCH.stillTurns; look++)
    for (const square of search(look)) seen.add(JSON.stringify(square))
  assert.ok(all.every((square) => seen.has(JSON.stringify(square))))
  assert.ok(search(0).length <= 2 + all.length / PEOPLE_SEARCH.stillTurns)
  const person = { x: 0, y: 0, w: 40, h: 100 }
  const holds = all.filter(({ cx, cy, size }) => cx - size / 2 < 40 && cy - size / 2 < 100)
  for (let look = 0; look < PEOPLE_SEARCH.stillTurns; look++) {
    const squares = search(look, [person]).map((square) => JSON.stringify(square))
    assert.ok(holds.every((square) => squares.includes(JSON.stringify(square))))
  }
  assert.equal(search(0, [], still.slice().fill(1)).length, 1 + all.length)
})
