import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOffer } from '../../../daemon/media/webrtc/offer.ts'

/** What a browser offers, in short. */
function offer({
  media = 'video',
  direction = 'recvonly',
  codecs = ['96 VP8/90000'],
  more = [] as string[],
} = {}) {
  return [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `m=${media} 9 UDP/TLS/RTP/SAVPF ${codecs.map((codec) => codec.split(' ')[0]).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:test',
    'a=ice-pwd:testtesttesttesttesttest',
    'a=fingerprint:sha-256 AB:AB',
    'a=setup:actpass',
    'a=mid:0',
    `a=${direction}`,
    ...codecs.map((codec) => `a=rtpmap:${codec}`),
    ...more,
    '',
  ].join('\r\n')
}

const refusals: [title: string, offer: string, code: string, says: RegExp][] = [
  ['nothing', '', 'VALIDATION_ERROR', /no SDP/],
  ['noise', '\u0000\u0001 hello', 'VALIDATION_ERROR', /no SDP/],
  ['a megabyte', `v=0\r\n${'a=x\r\n'.repeat(210_000)}`, 'TOO_LARGE', /64 KB/],
  ['very many lines', `v=0\n${'a=\n'.repeat(3_000)}`, 'VALIDATION_ERROR', /2000 lines/],
  ['sound only', offer({ media: 'audio', codecs: ['111 opus/48000'] }), 'VALIDATION_ERROR', /no video/],
  ['H.264 only', offer({ codecs: ['102 H264/90000'] }), 'UNSUPPORTED_MEDIA', /VP8 .*RTSP/],
  ['a codec nobody has', offer({ codecs: ['102 FOO/90000'] }), 'UNSUPPORTED_MEDIA', /VP8, VP9 or AV1/],
  ['the other direction', offer({ direction: 'sendonly' }), 'VALIDATION_ERROR', /recvonly/],
  ['no key', offer().replace(/a=fingerprint.*\r\n/, ''), 'VALIDATION_ERROR', /fingerprint/],
  [
    'a data channel',
    `${offer()}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`,
    'VALIDATION_ERROR',
    /sound/,
  ],
]

for (const [title, sdp, code, says] of refusals)
  test(`an offer of ${title} is refused with ${code}`, () => {
    assert.throws(() => readOffer(sdp, 'view'), { code, message: says })
  })

test('candidates that are names, public or relayed are left out, those of the local network stay', () => {
  const candidate = (address: string, type = 'host') => `a=candidate:1 1 udp 2122 ${address} 5000 typ ${type}`
  const kept = ['192.168.1.20', '10.0.0.7', '172.20.1.1', 'fe80::1', 'fd00::2', '127.0.0.1'].map((each) =>
    candidate(each),
  )
  const left = [
    candidate('8f3a-22.local'),
    candidate('203.0.113.9'),
    candidate('172.32.0.1'),
    candidate('2001:db8::1'),
    candidate('192.168.1.20', 'srflx'),
    candidate('10.evil.example'),
  ]
  const read = readOffer(offer({ more: [...left, ...kept] }), 'view').split('\r\n')
  assert.deepEqual(
    read.filter((line) => line.startsWith('a=candidate:')),
    kept,
  )
})

test('VP8 goes first and the bit rate is limited', () => {
  const read = readOffer(
    offer({ codecs: ['102 H264/90000', '45 AV1/90000', '98 VP9/90000', '96 VP8/90000'] }),
    'view',
  )
  assert.match(read, /m=video 9 UDP\/TLS\/RTP\/SAVPF 96 98 45 102\r\nc=.*\r\nb=AS:2500\r\n/)
})

test('a sender keeps no extension by which it could send its pictures turned', () => {
  const more = ['a=extmap:3 urn:3gpp:video-orientation', 'a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid']
  const read = readOffer(offer({ direction: 'sendonly', more }), 'receive')
  assert.doesNotMatch(read, /video-orientation/)
  assert.match(read, /sdes:mid/)
})
