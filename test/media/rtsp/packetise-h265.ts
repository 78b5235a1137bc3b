/** H.265 into RTP payloads (RFC 7798), for tests: the simulated camera sends H.264 only. */
export function packetiseH265(nals: readonly Uint8Array[], mtu: number): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let small: Uint8Array[] = []
  const flush = () => {
    if (small.length === 1) payloads.push(...small)
    else if (small.length > 1) {
      const units = small.flatMap((nal) => [Uint8Array.of(nal.length >> 8, nal.length & 0xff), nal])
      payloads.push(Buffer.concat([Uint8Array.of(48 << 1, 1), ...units]))
    }
    small = []
  }
  for (const nal of nals) {
    if (small.reduce((sum, each) => sum + 2 + each.length, 4 + nal.length) > mtu) flush()
    if (nal.length <= mtu) {
      small.push(nal)
      continue
    }
    const [first = 0, second = 0] = nal
    for (let at = 2; at < nal.length; at += mtu - 3) {
      const edges = (at === 2 ? 0x80 : 0) | (at + mtu - 3 >= nal.length ? 0x40 : 0)
      const head = Uint8Array.of((first & 0x81) | (49 << 1), second, edges | ((first >> 1) & 0x3f))
      payloads.push(Buffer.concat([head, nal.subarray(at, at + mtu - 3)]))
    }
  }
  flush()
  return payloads
}
