import type { Duplex } from 'node:stream'
import { createWebSocketStream } from 'ws'
import type { Http } from '../domain/route.ts'

/** Takes a byte stream that speaks MQTT; the broker on it asks for the device's key itself. */
export type MqttStream = (stream: Duplex, remoteAddress: string) => void

/** MQTT over WebSocket at `/mqtt`, for devices and pages that cannot open a plain MQTT connection. */
export function serveMqttSockets(http: Http, mqttStream: MqttStream): void {
  const config = { policy: { access: 'open' }, envelope: false } as const
  http.get('/mqtt', { websocket: true, config, schema: { hide: true } }, (socket, request) => {
    if (socket.protocol !== 'mqtt') {
      socket.close(1002, 'ask for the sub-protocol mqtt')
      return
    }
    mqttStream(createWebSocketStream(socket), request.ip)
  })
}
