/** One video track: RTP and RTCP packets in, access units with their times out. */
import type { Clock } from '../../kernel/clock.ts'
import type { FrameSize } from '../frames.ts'
import { type Codec, SourceFailure, type SourceSink, type StreamFacts } from '../source.ts'
import type { Depacketiser, Picture } from './assembly.ts'
import { createCameraClock } from './camera-clock.ts'
import { createH264Depacketiser } from './depacketise-h264.ts'
import { createH265Depacketiser } from './depacketise-h265.ts'
import { createJpegDepacketiser } from './depacketise-jpeg.ts'
import { H264, HEVC, type NalSyntax, nalUnits } from './nal.ts'
import { createSequence, parseRtcp, parseRtp } from './rtp.ts'
import type { Track } from './sdp.ts'

export interface TrackReader {
  rtp(bytes: Uint8Array): void
  rtcp(bytes: Uint8Array): void
  /** Tells the sink what is known now. Later changes are told by themselves. */
  describe(): void
  stats(): { lostPackets: number; droppedPictures: number }
}

export interface TrackReaderDeps {
  track: Track
  clock: Pick<Clock, 'now'>
  sink: Pick<SourceSink, 'described' | 'unit' | 'failed'>
}

const SYNTAX: Record<string, NalSyntax> = { H264, H265: HEVC }

/** Packets that are no RTP, or of another payload type, are passed over. */
export function createTrackReader({ track, clock, sink }: TrackReaderDeps): TrackReader {
  const syntax = SYNTAX[track.encoding] ?? null
  const codec: Codec = syntax?.codec ?? 'jpeg'
  const sets = syntax === null ? [] : parameterSetsOf(track)
  const cameraClock = createCameraClock(track.clockRate)
  const arrival = createSequence()
  let facts: StreamFacts = {
    codec,
    width: null,
    height: null,
    declaredFps: track.fps,
    clock: cameraClock.quality(),
  }
  let told = false
  let lostPackets = 0
  let gap = false
  let ssrc: number | null = null
  if (syntax !== null) for (const nal of sets) withSize(syntax.size(nal))

  function withSize(size: FrameSize | null): void {
    if (size !== null) facts = { ...facts, ...size }
  }

  function update(next: StreamFacts): void {
    const changed = next.width !== facts.width || next.height !== facts.height || next.clock !== facts.clock
    facts = next
    if (told && changed) sink.described(facts)
  }

  function picture({ data, keyframe, timestamp }: Picture, size: FrameSize | null): void {
    const arrivedAtMs = clock.now()
    const capturedAtMs = cameraClock.capturedAtMs(timestamp, arrivedAtMs)
    update({ ...facts, ...size, clock: cameraClock.quality() })
    sink.unit({ codec, data, keyframe, capturedAtMs, arrivedAtMs })
  }

  const depacketiser = depacketiserOf()
  function depacketiserOf(): Depacketiser {
    if (syntax === null) {
      return createJpegDepacketiser({ size: track.size, onPicture: (each) => picture(each, each.size) })
    }
    const deps = {
      parameterSets: sets,
      onPicture: (each: Picture) => picture(each, each.keyframe ? sizeIn(syntax, each.data) : null),
    }
    return syntax === H264 ? createH264Depacketiser(deps) : createH265Depacketiser(deps)
  }

  return {
    rtp(bytes) {
      const packet = parseRtp(bytes)
      if (packet === null || packet.payloadType !== track.payloadType) return
      const order = arrival(packet)
      ssrc = packet.ssrc
      if (order.kind === 'late') return
      if (order.kind === 'gap') {
        lostPackets += order.missing
        gap = true
      }
      // An empty packet keeps a firewall open; what was lost before it is still lost for the next.
      if (packet.payload.length === 0) return
      depacketiser.push(packet, gap)
      gap = false
    },
    rtcp(bytes) {
      const { report, bye } = parseRtcp(bytes)
      if (report !== null && (ssrc === null || report.ssrc === ssrc)) cameraClock.report(report, clock.now())
      if (bye) sink.failed(new SourceFailure('ended', 'The camera ended its stream.'))
    },
    describe() {
      told = true
      sink.described(facts)
    },
    stats: () => ({ lostPackets, droppedPictures: depacketiser.stats().dropped }),
  }
}

/** The size in the parameter sets at the beginning of a keyframe. */
function sizeIn(syntax: NalSyntax, data: Uint8Array): FrameSize | null {
  for (const nal of nalUnits(data)) {
    if (syntax.role(nal) !== 'parameters') return null
    const size = syntax.size(nal)
    if (size !== null) return size
  }
  return null
}

/** Base64 lists of RFC 6184 section 8.1 and RFC 7798 section 7.1. */
function parameterSetsOf({ parameters }: Track): Uint8Array[] {
  return ['sprop-parameter-sets', 'sprop-vps', 'sprop-sps', 'sprop-pps']
    .flatMap((name) => (parameters.get(name) ?? '').split(','))
    .filter((text) => text !== '')
    .map((text) => new Uint8Array(Buffer.from(text, 'base64')))
}
