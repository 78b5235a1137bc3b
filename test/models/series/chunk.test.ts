import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  CHUNK_ROWS,
  type ChunkRow,
  packMinutes,
  packRows,
  unpackMinutes,
  unpackRows,
} from '../../../models/series/chunk.ts'
import { DamagedColumns } from '../../../models/series/columns.ts'
import { addSample, emptyBucket } from '../../../models/series/rollup.ts'

const DAY = Date.UTC(2026, 2, 14)

const anyNumber = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.integer({ min: -5000, max: 5000 }).map((tenths) => tenths / 10),
  fc.constantFrom(0, -0, 0.1 + 0.2, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, -(2 ** 53), 1 / 3),
)
const anyRow: fc.Arbitrary<ChunkRow> = fc.record(
  {
    atMs: fc.oneof(fc.integer({ min: DAY, max: DAY + 86_400_000 }), fc.maxSafeInteger()),
    value: anyNumber,
    source: fc.constantFrom('obs', 'gatt', 'ingest', '', 'a source with ümlaut'),
    quality: fc.option(anyNumber, { nil: null }),
    revision: fc.nat({ max: 3 }),
    extra: fc.option(fc.json(), { nil: null }),
  },
  { noNullPrototype: true },
)

test('any rows come back bit by bit, whatever their numbers, sources and further facts', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 60 }), (rows) => {
      assert.deepStrictEqual(unpackRows(packRows(rows)), rows)
    }),
    { numRuns: 400 },
  )
})

test('a day of one kind of number comes back bit by bit: whole, of a scale, almost of one, and of none', () => {
  const kinds: Record<string, (row: number) => number> = {
    whole: (row) => 60 + (row % 7),
    tenths: (row) => (365 + (row % 13)) / 10,
    counter: (row) => row * 17,
    falling: (row) => -row * 1e6,
    almost: (row) => (row % 20 === 0 ? 1 / (row + 3) : row / 100),
    irrational: (row) => Math.sin(row) * 1e-7,
    same: () => 36.6,
  }
  for (const [kind, madeOf] of Object.entries(kinds)) {
    const rows = Array.from({ length: 1440 }, (_, row) => ({
      atMs: DAY + row * 60_000 + ((row * 7919) % 211),
      value: madeOf(row),
      source: 'obs',
      quality: row % 100 === 0 ? 0.5 : null,
      revision: 0,
      extra: null,
    }))
    assert.deepStrictEqual(unpackRows(packRows(rows)), rows, kind)
  }
})

test('a chunk of which any byte changed, is missing or stands twice is an error, never another value', () => {
  const rows = Array.from({ length: 40 }, (_, row) => ({
    atMs: DAY + row * 1000,
    value: 60 + (row % 5),
    source: 'obs',
    quality: null,
    revision: 0,
    extra: row === 3 ? '{"censored":"low"}' : null,
  }))
  const chunk = packRows(rows)
  let refused = 0
  for (let at = 0; at < chunk.length; at++) {
    for (const bit of [1, 16, 128]) {
      const changed = chunk.slice()
      changed[at]! ^= bit
      try {
        // The last bits of a compressed stream mean nothing.
        assert.deepStrictEqual(unpackRows(changed), rows)
      } catch (cause) {
        assert.ok(cause instanceof DamagedColumns, String(cause))
        refused += 1
      }
    }
    assert.throws(() => unpackRows(chunk.subarray(0, at)), DamagedColumns)
  }
  assert.ok(refused >= chunk.length * 3 - 3)
  assert.throws(() => unpackMinutes(chunk), DamagedColumns)
})

test('bytes from elsewhere are refused without asking for more memory than they are worth', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => unpackRows(bytes), DamagedColumns)
      assert.throws(() => unpackMinutes(bytes), DamagedColumns)
    }),
    { numRuns: 300 },
  )
})

test('more rows than a chunk may hold are refused before they are packed', () => {
  const row = { atMs: 0, value: 0, source: '', quality: null, revision: 0, extra: null }
  assert.throws(() => packRows(new Array<ChunkRow>(CHUNK_ROWS + 1).fill(row)), RangeError)
})

test('minutes come back as they were, with what was too large to keep still missing', () => {
  const quantum = { scale: 10, binWidth: 10, maxGapMs: 120_000 }
  const anySamples = fc.array(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: -4000, max: 4e15 })), {
      minLength: 1,
      maxLength: 5,
    }),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(anySamples, (days) => {
      const minutes = days.map((samples, index) => {
        const startMs = DAY + index * 60_000
        const bucket = emptyBucket()
        let atMs = startMs
        for (const [stepMs, scaled] of samples) {
          addSample(bucket, atMs, scaled, quantum)
          atMs += stepMs
        }
        return { startMs, bucket }
      })
      assert.deepStrictEqual(unpackMinutes(packMinutes(minutes)), minutes)
    }),
    { numRuns: 200 },
  )
})
