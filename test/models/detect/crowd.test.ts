/** What the detectors reach on every sixth frame of TUD-Campus, so that a change that costs much is noticed. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import test from 'node:test'
import { modelFolders, readCatalogue } from '../../../models/catalogue.ts'
import { createYoloxDetector, type Detector } from '../../../models/detect/detector.ts'
import { decodeJpeg } from '../../../models/detect/jpeg.ts'
import { createPeopleDetector } from '../../../models/detect/people.ts'
import { familyOf } from '../../../models/family.ts'
import { inspectOnnx } from '../../../models/onnx-inspect.ts'
import { createSessions } from '../../../models/session.ts'
import { type Box, iou } from '../../../models/vision/boxes.ts'
import { parseMot } from '../../../models/vision/mot/text.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { missing, samplePath, sampleText } from '../vision/samples.ts'

const CAMPUS = ['vision', 'mot', 'TUD-Campus']
const NANO = ['vision', 'models', 'yolox_nano_416x416.onnx']
const { models } = await readCatalogue(modelFolders('no-data'))
const bundled = (name: string) => models.find((model) => model.name === name)
const EVERY = 6

async function reached(detector: Detector, minScore: number) {
  const truth = parseMot(sampleText(...CAMPUS, 'gt', 'gt.txt'))
  const sum = { hits: 0, found: 0, truth: 0 }
  for (let frame = 1; frame <= truth.length; frame += EVERY) {
    const name = `${String(frame).padStart(6, '0')}.jpg`
    const picture = decodeJpeg(readFileSync(samplePath(...CAMPUS, 'img1', name)))
    const found = (await detector.detect(picture)).filter(
      ({ kind, score }) => kind === 'person' && score >= minScore,
    )
    const open = new Set<Box>(truth[frame - 1])
    sum.truth += open.size
    sum.found += found.length
    for (const box of found) {
      const best = [...open].toSorted((a, b) => iou(b, box) - iou(a, box))[0]
      if (best === undefined || iou(best, box) < 0.5) continue
      open.delete(best)
      sum.hits++
    }
  }
  return { precision: sum.hits / sum.found, recall: sum.hits / sum.truth }
}

test('BlazePose finds several people without a better detector', { skip: missing(...CAMPUS) }, async (t) => {
  const detector = bundled('blazepose-detector')
  const landmarks = bundled('blazepose-full')
  if (detector === undefined || landmarks === undefined) return t.skip('the bundled models are not built')
  const sessions = createSessions({ clock: fakeClock() })
  const { precision, recall } = await reached(
    createPeopleDetector({ detector, landmarks, run: sessions.run }),
    0,
  )
  t.diagnostic(`precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}`)
  // The whole sequence gives .91 and .51; twelve frames scatter around that.
  assert.ok(precision > 0.7 && recall > 0.4, `${precision} ${recall}`)
  await sessions.close()
})

test('YOLOX-nano finds what its published decoding finds', { skip: missing(...NANO) }, async (t) => {
  const path = samplePath(...NANO)
  const { input, outputs } = familyOf(inspectOnnx(readFileSync(path)))
  const file = { name: 'nano', path, bytes: statSync(path).size, input, outputs }
  const sessions = createSessions({ clock: fakeClock() })
  const detector = createYoloxDetector({ file, run: sessions.run })
  assert.deepEqual(detector.kinds, ['person', 'ball'])
  const { precision, recall } = await reached(detector, 0.5)
  t.diagnostic(`precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}`)
  assert.ok(precision > 0.8 && recall > 0.7, `${precision} ${recall}`)
  const reference = parseMot(sampleText(...CAMPUS, 'det', 'det-yolox-nano416.txt'))[0]!
  const sure = reference.filter(({ confidence }) => confidence > 0.6)
  // The reference kept boxes that overlap more than ours may.
  const wanted = sure.filter((box, at) => !sure.slice(0, at).some((better) => iou(better, box) > 0.45))
  const found = await detector.detect(decodeJpeg(readFileSync(samplePath(...CAMPUS, 'img1', '000001.jpg'))))
  for (const box of wanted)
    assert.ok(
      found.some((ours) => iou(ours, box) > 0.9),
      JSON.stringify(box),
    )
  await sessions.close()
})
