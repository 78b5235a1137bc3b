import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket } from 'ws'
import type { Http } from '../domain/route.ts'

/**
 * Takes a byte stream that speaks MQTT; the broker on it asks for the device's key itself. The answer says at any time
 * whether the key was right.
 */
export type MqttStream = (stream: Duplex, remoteAddress: string) => () => boolean

/** A CONNECT of at most 4 KB, in however small frames. */
const STRANGER_BYTES = 16_384

/** MQTT over WebSocket at `/mqtt`, for devices and pages that cannot open a plain MQTT connection. */
export function serveMqttSockets(http: Http, mqttStream: MqttStream): void {
  const config = { policy: { access: 'open' }, envelope: false } as const
  http.get('/mqtt', { websocket: true, config, schema: { hide: true } }, (socket, request) => {
    if (socket.protocol !== 'mqtt') {
      socket.close(1002, 'ask for the sub-protocol mqtt')
      return
    }
    holdStrangers(socket, request.socket, mqttStream(createWebSocketStream(socket), request.ip))
  })
}

/** A frame is collected whole before the broker sees its first byte, so a stranger's bytes are counted on the wire. */
function holdStrangers(socket: WebSocket, wire: Socket, isAdmitted: () => boolean): void {
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (isAdmitted()) wire.off('data', count)
    else if (bytes > STRANGER_BYTES) socket.terminate()
  }
  wire.on('data', count)
}
