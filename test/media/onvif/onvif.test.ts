import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import { camerasIn, discoverOnvif } from '../../../daemon/media/onvif/discover.ts'
import { onvifStreams } from '../../../daemon/media/onvif/streams.ts'
import { parseXml } from '../../../daemon/media/onvif/xml.ts'
import { onvifDouble, probeMatch } from '../../fakes/onvif.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'

const ADMIN = { username: 'admin', password: 'p4ss<&>' }
const clock = systemClock()
const SAMPLE = readFileSync(fixturePath('camera/onvif-probematch.xml'))
const QUESTION = '0a6dc791-2be6-4991-9af1-454778a1917a'

test('a real answer of WS-Discovery gives name, hardware and the address that answered', () => {
  assert.deepEqual(camerasIn(SAMPLE, '192.0.2.10', QUESTION), [
    {
      name: 'IPC Pitch North',
      address: '192.0.2.10',
      xaddr: 'http://192.0.2.10/onvif/device_service',
      hardware: 'DS-2CD',
    },
  ])
})

test('only the sender’s own address or one inside the house is taken', () => {
  const taken = (xaddrs: string) =>
    camerasIn(Buffer.from(probeMatch(xaddrs)), '192.168.1.64', null).map(({ xaddr }) => xaddr)
  assert.deepEqual(taken('http://203.0.113.9/x http://192.168.1.64/x'), ['http://192.168.1.64/x'])
  assert.deepEqual(taken('http://10.1.2.3:8899/x'), ['http://10.1.2.3:8899/x'])
  assert.deepEqual(taken('http://[fe80::1]/x'), ['http://[fe80::1]/x'])
  for (const refused of [
    'http://203.0.113.9/x',
    'http://127.0.0.1:8080/x',
    'http://localhost/x',
    'http://[::ffff:127.0.0.1]/x',
    'http://camera.example/x',
    'file:///etc/passwd',
    'http://user:secret@192.168.1.64/x',
    '',
  ])
    assert.deepEqual(taken(refused), [], refused)
})

test('an answer to somebody else’s question is passed over', () => {
  assert.deepEqual(camerasIn(SAMPLE, '192.0.2.10', 'ffffffff-2be6-4991-9af1-454778a1917a'), [])
})

test('a camera that answers is found, once, among rubbish', async (t) => {
  const match = probeMatch('http://127.0.0.1:80/onvif/device_service', 'Goal%0A%ZZ')
  const { target } = await onvifDouble(t, {
    answers: ['no xml', Buffer.alloc(60_000, 0xff), '<a>', match, match, probeMatch('http://203.0.113.9/x')],
  })
  const found = await discoverOnvif({ clock, forMs: 150, target })
  assert.deepEqual(
    found.map(({ xaddr, hardware }) => ({ xaddr, hardware })),
    [{ xaddr: 'http://127.0.0.1/onvif/device_service', hardware: 'DS-2CD' }],
  )
})

test('a flood of answers is bounded', async (t) => {
  const flood = Array.from({ length: 200 }, (_, index) => probeMatch(`http://10.0.0.${index}/x`))
  const { target } = await onvifDouble(t, { answers: flood })
  assert.ok((await discoverOnvif({ clock, forMs: 150, target })).length <= 64)
})

test('the question goes to the group of WS-Discovery when no other is named', async () => {
  assert.ok(Array.isArray(await discoverOnvif({ clock, forMs: 20 })))
})

test('streams of a camera with a clock of its own are listed with password, without theirs', async (t) => {
  for (const aheadMs of [0, 3_600_000, -86_400_000]) {
    const { xaddr, asked } = await onvifDouble(t, { credentials: ADMIN, aheadMs })
    assert.deepEqual(await onvifStreams({ xaddr, credentials: ADMIN, clock }), [
      {
        name: 'Main',
        uri: 'rtsp://192.168.1.64:554/cam?channel=1&subtype=0',
        codec: 'h264',
        width: 1920,
        height: 1080,
      },
      { name: 'Sub', uri: 'rtsp://127.0.0.1:554/sub', codec: 'jpeg', width: 640, height: 360 },
    ])
    assert.deepEqual(asked.slice(0, 3), ['GetSystemDateAndTime', 'GetCapabilities', 'GetProfiles'])
  }
})

test('a wrong password, a missing one and nobody there are told apart', async (t) => {
  const { xaddr } = await onvifDouble(t, { credentials: ADMIN })
  const wrong = { ...ADMIN, password: 'guess' }
  await assert.rejects(onvifStreams({ xaddr, credentials: wrong, clock }), { code: 'unauthorized' })
  await assert.rejects(onvifStreams({ xaddr, credentials: null, clock }), { code: 'unauthorized' })
  await assert.rejects(onvifStreams({ xaddr: 'http://127.0.0.1:9/', credentials: null, clock }), {
    code: 'unreachable',
  })
  await assert.rejects(onvifStreams({ xaddr: 'rtsp://127.0.0.1/', credentials: null, clock }), {
    code: 'malformed',
  })
})

test('answers that are no XML, too large, or bring entities are refused', async (t) => {
  const bomb = '<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
  for (const [body, code] of [
    ['hello', 'malformed'],
    [bomb, 'malformed'],
    ['<a/>'.padEnd(400_000, ' '), 'too-large'],
    [`${'<a>'.repeat(40)}`, 'malformed'],
  ] as const) {
    const { xaddr } = await onvifDouble(t, { garbage: { status: 200, body } })
    await assert.rejects(onvifStreams({ xaddr, credentials: null, clock }), { code })
  }
})

test('trees are read with local names and decoded text, random bytes give none or a tree', () => {
  const root = parseXml(Buffer.from('<x:a k="1&amp;2"><y:b>p&amp;q</y:b></x:a>'))
  assert.equal(root?.name, 'a')
  assert.equal(root?.attributes['k'], '1&2')
  assert.equal(root?.children[0]?.text, 'p&q')
  assert.equal(parseXml(Buffer.from(`<a>${'<b/>'.repeat(6000)}</a>`)), null)
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseXml(bytes)))
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('<a>', '</a>', '<b k="v"/>', 'text', '&amp;', '&x;', '<!--', '-->')),
      (pieces) => void parseXml(Buffer.from(pieces.join(''))),
    ),
  )
})
