/** A phone made of the same library: offers, connects, sends and receives pictures over real loopback. */

import { i420Bytes } from '../../../daemon/media/frames.ts'
import {
  type Connection,
  loadLibrary,
  type SinkPicture,
  type Transceiver,
} from '../../../daemon/media/webrtc/library.ts'

export interface Phone {
  offer(): Promise<string>
  accept(answerSdp: string): Promise<void>
  /** Resolves with the first received picture that fits. */
  picture(fits?: (picture: SinkPicture) => boolean): Promise<SinkPicture>
  /** Sends pictures of one colour until the returned function is called. */
  send(width: number, height: number, colour: Colour): () => void
  connection: Connection
  leave(): void
}

/** Y, U, V */
export type Colour = readonly [number, number, number]

export const ORANGE: Colour = [150, 60, 190]
export const BLUE: Colour = [70, 190, 90]

export function planes(width: number, height: number, [y, u, v]: Colour): Uint8Array {
  const luma = width * height
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2)
  return new Uint8Array(i420Bytes({ width, height }))
    .fill(y, 0, luma)
    .fill(u, luma, luma + chroma)
    .fill(v, luma + chroma)
}

/** Y, U and V in the middle of the planes. */
export function middle({ width, height, data }: { width: number; height: number; data: Uint8Array }): Colour {
  const luma = width * height
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  const inChroma = (h >> 1) * w + (w >> 1)
  return [data[(height >> 1) * width + (width >> 1)]!, data[luma + inChroma]!, data[luma + w * h + inChroma]!]
}

export function near(a: Colour, b: Colour): boolean {
  return a.every((value, index) => Math.abs(value - b[index]!) <= 6)
}

export function createPhone(direction: 'recvonly' | 'sendonly'): Phone {
  const library = loadLibrary()
  const connection = new library.RTCPeerConnection({ iceServers: [] })
  const transceiver: Transceiver = connection.addTransceiver('video', { direction })
  const source = new library.nonstandard.RTCVideoSource()
  const sink = new library.nonstandard.RTCVideoSink(transceiver.receiver.track)
  const stops = new Set<() => void>([() => sink.stop(), () => connection.close()])
  const waiting = new Set<(picture: SinkPicture) => void>()
  sink.onframe = ({ frame }) => {
    for (const each of waiting) each(frame)
  }
  return {
    connection,
    async offer() {
      if (direction === 'sendonly') await transceiver.sender.replaceTrack(source.createTrack())
      await connection.setLocalDescription(await connection.createOffer())
      await new Promise<void>((resolve) => {
        if (connection.iceGatheringState === 'complete') resolve()
        connection.onicegatheringstatechange = () => {
          if (connection.iceGatheringState === 'complete') resolve()
        }
      })
      return connection.localDescription!.sdp
    },
    accept: (sdp) => connection.setRemoteDescription({ type: 'answer', sdp }),
    picture: (fits = () => true) =>
      new Promise((resolve) => {
        const seen = (picture: SinkPicture) => {
          if (!fits(picture)) return
          waiting.delete(seen)
          resolve(picture)
        }
        waiting.add(seen)
      }),
    send(width, height, colour) {
      const data = planes(width, height, colour)
      const timer = setInterval(() => source.onFrame({ width, height, data }), 33)
      const stop = () => clearInterval(timer)
      stops.add(stop)
      return stop
    },
    leave() {
      for (const stop of stops) stop()
      stops.clear()
    },
  }
}
