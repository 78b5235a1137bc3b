import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { inputFile, type PlainText, settings } from '../../../daemon/cli/compute/computation.ts'
import { fitBodyToJoints, motMetricsOfFiles, track, triangulate } from '../../../daemon/cli/compute/vision.ts'
import { missing, samplePath } from '../../models/vision/samples.ts'

const TRIAL = ['vision', 'multicam', 'pose2sim'] as const
const CAMPUS = ['vision', 'mot', 'TUD-Campus'] as const

interface Fitted {
  model: string
  beta: number[]
  bone_lengths_m: number[]
  frames: { kpi: Record<string, number>; joints: number[][] }[]
}

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-vision-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return {
    file(name: string, text: string) {
      const path = join(folder, name)
      writeFileSync(path, text)
      return path
    },
  }
}

test('track then mot-metrics reach the reference on TUD-Campus', { skip: missing(...CAMPUS) }, async (t) => {
  const { file } = setup(t)
  const detections = inputFile(samplePath(...CAMPUS, 'det', 'det-frcnn-sort.txt'))
  const { plainText } = (await track(detections, settings([]))) as PlainText
  const given = settings([`gt=${samplePath(...CAMPUS, 'gt', 'gt.txt')}`])
  const scores = (await motMetricsOfFiles(inputFile(file('result.txt', plainText)), given)) as Record<
    string,
    number
  >
  assert.deepEqual(
    Object.keys(scores).sort(),
    'AssA DetA FN FP Frag HOTA IDF1 IDSW LocA ML MOTA MOTP MT PT'.split(' '),
  )
  assert.deepEqual(
    [scores['HOTA'], scores['MOTA'], scores['IDF1']].map((value) => value?.toFixed(2)),
    ['51.39', '61.28', '71.32'],
  )
})

test('tracking settings are obeyed and wrong files are named', async (t) => {
  const { file } = setup(t)
  const weak = file('det.txt', '1,-1,0,0,40,100,0.5\n2,-1,0,0,40,100,0.5\n')
  const run = async (...pairs: string[]) =>
    ((await track(inputFile(weak), settings(pairs))) as PlainText).plainText
  assert.equal(await run(), '')
  assert.equal((await run('track_thresh=0.3')).split('\n')[0], '1,1,0.00,0.00,40.00,100.00,0.50,-1,-1,-1')
  await assert.rejects(
    track(inputFile(file('bad.txt', 'frames\n')), settings([])),
    /bad\.txt: Line 1 is not a MOT row/,
  )
  await assert.rejects(motMetricsOfFiles(inputFile(weak), settings([])), /--set gt=FILE/)
})

test('triangulate writes the recording as TRC, or everything as JSON', {
  skip: missing(...TRIAL),
}, async () => {
  const poses = inputFile(samplePath(...TRIAL, 'single', 'pose-associated_2d.json'))
  const calibration = `calibration=${samplePath(...TRIAL, 'Calib_qualisys.toml')}`
  const { plainText } = (await triangulate(poses, settings([calibration]))) as PlainText
  assert.match(plainText, /^PathFileType\t4\t\(X\/Y\/Z\)\tpose-associated_2d\.trc\nDataRate/)
  assert.equal(plainText.trim().split('\n').length, 105)
  const answer = (await triangulate(poses, settings([calibration, 'format=json', 'rate=30']))) as {
    rate_hz: number
    quality: { mean_reprojection_error_px: number }
  }
  assert.equal(answer.rate_hz, 30)
  assert.ok(answer.quality.mean_reprojection_error_px < 15)
  await assert.rejects(
    triangulate(poses, settings([calibration, 'format=xml'])),
    /format is one of trc, json/,
  )
  await assert.rejects(triangulate(poses, settings([])), /--set calibration=FILE/)
})

test('fit-body answers in the words of its expected file, with the model beside the recording', async (t) => {
  const { file } = setup(t)
  const recording = join('test', 'fixtures', 'smpl', 'joints3d.json')
  const answer = (await fitBodyToJoints(inputFile(recording), settings([]))) as Fitted
  assert.equal(answer.model, 'synthetic-smpl.npz')
  assert.deepEqual([answer.beta.length, answer.bone_lengths_m.length, answer.frames.length], [10, 24, 6])
  const [first] = answer.frames
  assert.ok(Math.abs(first!.kpi['knee_flexion_l']! - 68.12) < 0.5)
  assert.ok(Math.abs(first!.joints[7]![1]! - 0.23293) < 0.001)
  const alone = inputFile(file('joints3d.json', readFileSync(recording, 'utf8')))
  assert.equal(((await fitBodyToJoints(alone, settings([]))) as Fitted).model, 'homefield skeleton')
  await assert.rejects(
    fitBodyToJoints(alone, settings([`model=${recording}`])),
    /joints3d\.json: This is not an \.npz/,
  )
  await assert.rejects(fitBodyToJoints(alone, settings(['lowpass=40'])), /half of 60/)
})
