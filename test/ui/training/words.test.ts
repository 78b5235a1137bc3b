/** What is said about a camera: findings of a look, reasons of a dark picture, what is sent when adding. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CameraStream } from '../../../daemon/domain/camera.ts'
import { isAddress, sourceBody } from '../../../daemon/ui/areas/training/add/draft.ts'
import { findingsOf } from '../../../daemon/ui/areas/training/add/probe-words.ts'
import { words } from '../../../daemon/ui/areas/training/words.ts'
import { createTranslate } from '../../../daemon/ui/i18n/translate.ts'

const w = createTranslate(words, 'en-GB')
const GOOD: CameraStream = {
  ...{ codec: 'h264', width: 1280, height: 720, fps: 25, declared_fps: 25, keyframe_interval_s: 2 },
  clock: 'synchronised',
}
const grades = (stream: Partial<CameraStream>) =>
  findingsOf(w, { ...GOOD, ...stream }).map(({ grade }) => grade)

test('a good camera needs nothing, and every fact has its sentence', () => {
  const findings = findingsOf(w, GOOD)
  assert.deepEqual(
    findings.map(({ grade }) => grade),
    ['good', 'good', 'good', 'good', 'good'],
  )
  assert.deepEqual(
    findings.map(({ value }) => value),
    ['H.264', '1280 × 720', '25', '2 s', 'by the camera'],
  )
  for (const { text } of findings) assert.ok(text.length > 10)
})

test('what should be changed in the camera is said', () => {
  assert.deepEqual(grades({ codec: 'hevc' })[0], 'do')
  assert.deepEqual(grades({ width: 320, height: 240 })[1], 'do')
  assert.deepEqual(grades({ width: 3840, height: 2160 })[1], 'do')
  assert.deepEqual(grades({ fps: 5 })[2], 'do')
  assert.deepEqual(grades({ keyframe_interval_s: 10 })[3], 'do')
})

test('what is not measured yet is neither good nor bad, and a JPEG needs no key frame', () => {
  assert.deepEqual(grades({ fps: null, declared_fps: null })[2], 'open')
  assert.deepEqual(grades({ keyframe_interval_s: null })[3], 'open')
  assert.deepEqual(grades({ codec: 'jpeg', keyframe_interval_s: null })[3], 'good')
  assert.equal(findingsOf(w, { ...GOOD, fps: null })[2]?.value, '25')
})

test('an address needs its scheme and a host', () => {
  for (const good of ['rtsp://192.168.1.20/a', 'RTSPS://cam:322/', 'http://cam.local:81/stream'])
    assert.ok(isAddress(good), good)
  for (const bad of ['192.168.1.20', 'rtsp://', 'file:///etc/passwd', 'javascript:alert(1)'])
    assert.ok(!isAddress(bad), bad)
})

test('empty fields of signing in are not sent, so that those in the address count', () => {
  const url = 'rtsp://a:b@cam/1'
  assert.deepEqual(sourceBody({ kind: 'fetched', url, username: '', password: '' }), { url })
  assert.deepEqual(sourceBody({ kind: 'fetched', url, username: 'u', password: 'p' }), {
    ...{ url, username: 'u', password: 'p' },
  })
  assert.deepEqual(sourceBody({ kind: 'mqtt', device_id: 'cam_1' }), { kind: 'mqtt', device_id: 'cam_1' })
  assert.deepEqual(sourceBody({ kind: 'phone' }), { kind: 'phone' })
})
