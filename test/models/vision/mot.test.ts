import assert from 'node:assert/strict'
import test from 'node:test'
import { type MotMetrics, motMetrics } from '../../../models/vision/mot/metrics.ts'
import { formatMot, parseMot } from '../../../models/vision/mot/text.ts'
import { missing, sampleText } from './samples.ts'

const SEQUENCE = ['vision', 'mot', 'TUD-Campus'] as const
const skip = missing(...SEQUENCE)

function setup() {
  const expected = JSON.parse(sampleText('vision', 'mot', 'expected.json'))
  const truth = parseMot(sampleText(...SEQUENCE, 'gt', 'gt.txt'))
  const scored = (name: string) => motMetrics(truth, parseMot(sampleText(...SEQUENCE, name)))
  return { expected, scored }
}

function rounded(metrics: MotMetrics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, Math.round(value * 100) / 100]),
  )
}

test('the published SORT row of TUD-Campus is reproduced exactly', { skip }, () => {
  const { expected, scored } = setup()
  const published = expected['sort_readme_published']['TUD-Campus']
  const { MOTA, MOTP, IDSW, FP, FN, Frag, MT, PT, ML } = scored('ref-sort.txt')
  const tenths = (value: number) => Math.round(value * 10) / 10
  const { Rcll: _recall, Prcn: _precision, IDs, FM, ...rest } = published
  assert.deepEqual(
    { MOTA: tenths(MOTA), MOTP: tenths(MOTP), IDSW, FP, FN, Frag, MT, PT, ML },
    { ...rest, IDSW: IDs, Frag: FM },
  )
})

test('every metric of the reference trackers equals TrackEval to two decimals', { skip }, () => {
  const { expected, scored } = setup()
  const byte = expected['mot15_style_no_preproc']['BYTE = ByteTrack ref on same dets']['TUD-Campus']
  const onImages = expected['yolox_nano_416_dets_real_images']
  assert.deepEqual(rounded(scored('ref-byte.txt')), byte)
  assert.deepEqual(rounded(scored('ref-byte-on-yolox.txt')), onImages['BYTE']['TUD-Campus'])
  assert.deepEqual(rounded(scored('ref-sort-on-yolox.txt')), onImages['SORT']['TUD-Campus'])
})

test('a perfect result scores 100 and an empty one 0', () => {
  const truth = parseMot('1,1,0,0,10,20,1\n2,1,1,0,10,20,1\n2,2,50,0,10,20,1\n')
  const perfect = motMetrics(truth, truth)
  assert.deepEqual([perfect.HOTA, perfect.MOTA, perfect.IDF1, perfect.MT].map(Math.round), [100, 100, 100, 2])
  const empty = motMetrics(truth, [])
  assert.deepEqual([empty.HOTA, empty.MOTA, empty.IDF1, empty.FN, empty.ML], [0, 0, 0, 3, 2])
})

test('an identity that changes halfway costs one switch, and half of IDF1 and of association', () => {
  const rows = (ids: number[]) =>
    parseMot(ids.map((id, index) => `${index + 1},${id},0,0,10,20,1\n`).join(''))
  const { MOTA, IDSW, IDF1, AssA, DetA } = motMetrics(rows([1, 1, 1, 1]), rows([7, 7, 9, 9]))
  assert.deepEqual([MOTA, IDSW, IDF1, Math.round(AssA), Math.round(DetA)], [75, 1, 50, 50, 100])
})

test('ground truth marked 0 is ignored, so finding it is a false box', () => {
  const result = parseMot('1,1,0,0,10,20,1\n')
  assert.equal(motMetrics(parseMot('1,1,0,0,10,20,0\n'), result).FP, 1)
  assert.equal(motMetrics(parseMot('1,1,0,0,10,20,1\n'), result).FP, 0)
})

test('rows that are not MOT are refused by their line', () => {
  assert.throws(() => parseMot('1,1,0,0,10,20\n1,2,zero,0,10,20\n'), /Line 2 is not a MOT row/)
  assert.throws(() => parseMot('0,1,0,0,10,20\n'), /Line 1 is not a MOT row/)
  assert.throws(() => parseMot('99999999999,1,0,0,10,20\n'), /Line 1 is not a MOT row/)
  assert.throws(() => parseMot('1,1,0,0,-10,20\n'), /negative size/)
  const twice = parseMot('1,1,0,0,10,20\n1,1,5,0,10,20\n')
  assert.throws(() => motMetrics(twice, []), /ground truth has id 1 twice in frame 1/)
})

test('what is written can be read again', () => {
  const frames = [[], [{ id: 3, x: 1.25, y: 2, w: 3.5, h: 4, confidence: 0.5 }]]
  assert.deepEqual(parseMot(formatMot(frames)), frames)
})
