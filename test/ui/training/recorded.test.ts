/** Recordings as the app shows them: pictures out of a file, and who was seen at a moment of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSegment } from '../../../daemon/media/record/segment.ts'
import { createReplay, type KeptTrack } from '../../../daemon/ui/areas/training/overlay/replay.ts'
import { jpegsIn } from '../../../daemon/ui/areas/training/sessions/matroska.ts'
import { JPEGS, machineDecoder, pattern, unitsOf } from '../../media/clips.ts'

const { settings, skip } = await machineDecoder()
const START_MS = Date.UTC(2026, 2, 14, 8)

test('every JPEG that the hub kept in a file is found again, at its time, also in one that is cut off', {
  skip,
}, async () => {
  const units = unitsOf(pattern('160x128', 12, JPEGS), 'jpeg', 100, START_MS)
  const segment = settings && units[0] ? createSegment(settings, units[0]) : null
  assert.ok(segment)
  for (const unit of units) segment.feed(unit)
  segment.end()
  const file = Buffer.concat(await segment.output.toArray())
  const stills = jpegsIn(file)
  assert.deepEqual(
    stills.map(({ jpeg }) => Buffer.from(jpeg).equals(Buffer.from(units[0]!.data)) || jpeg.length > 100),
    units.map(() => true),
  )
  assert.deepEqual(
    stills.map(({ atMs }) => Math.round(atMs)),
    units.map((_, at) => at * 100),
  )
  assert.deepEqual(Buffer.from(stills[5]!.jpeg), Buffer.from(units[5]!.data))
  const cut = jpegsIn(file.subarray(0, file.length - 900))
  assert.ok(cut.length > 5 && cut.length < stills.length)
  for (let from = 0; from < 64; from += 7) jpegsIn(file.subarray(from))
  assert.deepEqual(jpegsIn(Buffer.from('no film')), [])
})

test('at a moment those are shown who were seen within a quarter of a second of it, where they were nearest to it', () => {
  const seen = (track_id: number, ats: number[], kind: KeptTrack['kind'] = 'person'): KeptTrack => ({
    ...{ track_id, kind, width: 640, height: 360 },
    samples: ats.map((at) => ({
      at: new Date(START_MS + at).toISOString(),
      box: [at, 0, 10, 20],
      keypoints: [[1, 2, 0.9]],
    })),
  })
  const replay = createReplay('yard', [seen(1, [0, 100, 200]), seen(2, [1000]), seen(3, [0], 'ball')])
  const at = (ms: number) => replay(START_MS + ms)?.people.map(({ trackId, box }) => [trackId, box.x])
  assert.deepEqual(at(0), [[1, 0]])
  assert.deepEqual(at(160), [[1, 200]])
  assert.deepEqual(at(440), [[1, 200]])
  assert.deepEqual(at(460), [])
  assert.deepEqual(at(1100), [[2, 1000]])
  assert.deepEqual(replay(START_MS)?.people[0]?.joints, [{ x: 1, y: 2, score: 0.9 }])
  assert.equal(createReplay('yard', [])(START_MS), null)
})
