/** H.265 out of RTP (RFC 7798): single NAL units, aggregation packets and fragmentation units, without decoding order numbers. */
import { type AssemblyDeps, createAssembly, type Depacketiser } from './assembly.ts'
import { aggregated } from './depacketise-h264.ts'
import { HEVC } from './nal.ts'

const AGGREGATION = 48
const FRAGMENT = 49
const LAST_SINGLE = 47

export function createH265Depacketiser(deps: Omit<AssemblyDeps, 'syntax'>): Depacketiser {
  const assembly = createAssembly({ ...deps, syntax: HEVC })

  function fragment(payload: Uint8Array): void {
    const [first = 0, second = 0, header = 0] = payload
    if ((header & 0x80) !== 0) {
      assembly.begin(Uint8Array.of((first & 0x81) | ((header & 0x3f) << 1), second))
    }
    if (payload.length < 3 || !assembly.append(payload.subarray(3))) assembly.damaged()
    else if ((header & 0x40) !== 0) assembly.end()
  }

  return {
    push({ payload, marker, timestamp }, gap) {
      const type = ((payload[0] ?? 0) >> 1) & 0x3f
      assembly.packet(timestamp, gap)
      if (payload.length < 2) assembly.damaged()
      else if (type <= LAST_SINGLE) {
        assembly.begin(payload)
        assembly.end()
      } else if (type === AGGREGATION) aggregated(payload.subarray(2), assembly)
      else if (type === FRAGMENT) fragment(payload)
      else assembly.damaged()
      if (marker) assembly.finish()
    },
    stats: () => ({ dropped: assembly.dropped() }),
  }
}
