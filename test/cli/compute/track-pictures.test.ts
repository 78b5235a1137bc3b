import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { inputFile, type PlainText, settings } from '../../../daemon/cli/compute/computation.ts'
import { trackPictures } from '../../../daemon/cli/compute/track-pictures.ts'
import { parseMot } from '../../../models/vision/mot/text.ts'
import { missing, samplePath } from '../../models/vision/samples.ts'

const NANO = ['vision', 'models', 'yolox_nano_416x416.onnx']
const CAMPUS = ['vision', 'mot', 'TUD-Campus', 'img1']

test('a folder of pictures becomes a MOT result whose people keep their identities', {
  skip: missing(...NANO) || missing(...CAMPUS),
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['000001.jpg', '000002.jpg', '000003.jpg'])
    symlinkSync(resolve(samplePath(...CAMPUS, name)), join(folder, name))
  const set = settings([`detector=${samplePath(...NANO)}`, 'pose_model=none'])
  const { plainText } = (await trackPictures(inputFile(folder), set)) as PlainText
  const [first = [], , third = []] = parseMot(plainText)
  assert.ok(first.length >= 3, plainText)
  const ids = new Set(first.map(({ id }) => id))
  assert.ok(third.filter(({ id }) => ids.has(id)).length >= 3)
})

test('a folder without pictures, and a file that is no model, are named', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'text.onnx'), 'a text file named .onnx')
  await assert.rejects(trackPictures(inputFile(folder), settings([`detector=${join(folder, 'text.onnx')}`])))
  await assert.rejects(trackPictures(inputFile(folder), settings(['pose_model=nothing'])), {
    code: 'NOT_FOUND',
  })
})
