/** The browser's side of live pictures: watches a camera (WHEP) or sends the phone's own (WHIP). */

export interface Viewing {
  stream: MediaStream
  /** Pictures a second and the delay that the network and the player add, in ms; null while unknown. */
  measure(): Promise<{ fps: number | null; delayMs: number | null }>
  close(): void
}

export interface Sending {
  close(): void
}

export interface LiveDeps {
  /** Posts the offer to the hub and returns its answer; throws the hub's refusal. */
  exchange: (offerSdp: string) => Promise<string>
  /** Told once when the connection broke and will not come back. */
  onLost: () => void
}

const PREFERRED = 'video/VP8'

/** Resolves when the hub has answered; pictures follow as soon as the connection stands. */
export async function watchCamera({ exchange, onLost }: LiveDeps): Promise<Viewing> {
  const connection = new RTCPeerConnection()
  const transceiver = connection.addTransceiver('video', { direction: 'recvonly' })
  preferCheapest(transceiver, RTCRtpReceiver.getCapabilities('video'))
  const stream = new MediaStream([transceiver.receiver.track])
  await connect(connection, { exchange, onLost })
  return { stream, measure: () => measured(connection), close: () => connection.close() }
}

/** Sends the first video track of `stream` until it is closed; the track itself stays the caller's. */
export async function sendCamera(stream: MediaStream, deps: LiveDeps): Promise<Sending> {
  const [track] = stream.getVideoTracks()
  if (!track) throw new Error('The stream has no video.')
  const connection = new RTCPeerConnection()
  const transceiver = connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] })
  preferCheapest(transceiver, RTCRtpSender.getCapabilities('video'))
  await connect(connection, deps)
  return { close: () => connection.close() }
}

/** VP8 first: the hub encodes and decodes it with the least work. */
function preferCheapest(transceiver: RTCRtpTransceiver, can: RTCRtpCapabilities | null): void {
  if (!can || !('setCodecPreferences' in transceiver)) return
  const rank = ({ mimeType }: { mimeType: string }) => (mimeType === PREFERRED ? 0 : 1)
  transceiver.setCodecPreferences([...can.codecs].sort((a, b) => rank(a) - rank(b)))
}

/** The offer goes out at once, without the phone's own candidates: the phone reaches the hub's, which are all in the answer. */
async function connect(connection: RTCPeerConnection, { exchange, onLost }: LiveDeps): Promise<void> {
  try {
    await connection.setLocalDescription()
    const sdp = await exchange(connection.localDescription?.sdp ?? '')
    await connection.setRemoteDescription({ type: 'answer', sdp })
  } catch (cause) {
    connection.close()
    throw cause
  }
  connection.addEventListener('connectionstatechange', () => {
    if (connection.connectionState !== 'failed') return
    connection.close()
    onLost()
  })
}

async function measured(
  connection: RTCPeerConnection,
): Promise<{ fps: number | null; delayMs: number | null }> {
  const reports = [...((await connection.getStats()) as Map<string, Record<string, unknown>>).values()]
  const video = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')
  const pair = reports.find(({ type, nominated }) => type === 'candidate-pair' && nominated === true)
  const number = (value: unknown) => (typeof value === 'number' ? value : null)
  const roundTripS = number(pair?.['currentRoundTripTime'])
  const bufferedS = number(video?.['jitterBufferDelay'])
  const shown = number(video?.['jitterBufferEmittedCount'])
  const known = roundTripS !== null && bufferedS !== null && shown !== null && shown > 0
  return {
    fps: number(video?.['framesPerSecond']),
    delayMs: known ? Math.round((roundTripS / 2 + bufferedS / shown) * 1_000) : null,
  }
}
