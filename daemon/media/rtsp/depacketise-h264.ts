/** H.264 out of RTP (RFC 6184): single NAL units, STAP-A and FU-A, the forms of packetisation modes 0 and 1. */
import { type AssemblyDeps, createAssembly, type Depacketiser } from './assembly.ts'
import { H264 } from './nal.ts'

const STAP_A = 24
const FU_A = 28

export function createH264Depacketiser(deps: Omit<AssemblyDeps, 'syntax'>): Depacketiser {
  const assembly = createAssembly({ ...deps, syntax: H264 })

  function fragment(payload: Uint8Array): void {
    const [indicator = 0, header = 0] = payload
    const rest = payload.subarray(2)
    if ((header & 0x80) !== 0) {
      assembly.begin(Uint8Array.of((indicator & 0xe0) | (header & 0x1f)))
    }
    if (payload.length < 2 || !assembly.append(rest)) assembly.damaged()
    else if ((header & 0x40) !== 0) assembly.end()
  }

  return {
    push({ payload, marker, timestamp }, gap) {
      const type = (payload[0] ?? 0) & 0x1f
      assembly.packet(timestamp, gap)
      if (type >= 1 && type <= 23) {
        assembly.begin(payload)
        assembly.end()
      } else if (type === STAP_A) aggregated(payload.subarray(1), assembly)
      else if (type === FU_A) fragment(payload)
      else assembly.damaged()
      if (marker) assembly.finish()
    },
    stats: () => ({ dropped: assembly.dropped() }),
  }
}

/** Units of 16-bit length and bytes, as in STAP-A and in H.265's aggregation packets. */
export function aggregated(
  bytes: Uint8Array,
  assembly: { begin(nal: Uint8Array): void; end(): void; damaged(): void },
): void {
  for (let at = 0; at < bytes.length; ) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    const nal = bytes.subarray(at + 2, at + 2 + length)
    if (length === 0 || nal.length < length) {
      assembly.damaged()
      return
    }
    assembly.begin(nal)
    assembly.end()
    at += 2 + length
  }
}
