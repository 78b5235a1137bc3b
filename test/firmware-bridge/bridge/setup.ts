import type { BridgeAnswer, DeviceSettings } from '../../../firmware-bridge/bridge/answer.ts'
import { type BridgeDeps, createBridge } from '../../../firmware-bridge/bridge/bridge.ts'

export const NOON_MS = Date.UTC(2026, 2, 14, 12)

/** A bridge whose household lives one hour ahead of UTC, and a shorthand that publishes text or bytes at noon. */
export function setup(
  devices: Readonly<Record<string, DeviceSettings>> = {},
  limits: BridgeDeps['limits'] = {},
) {
  const bridge = createBridge({
    zone: {
      instantOf: (wall) => Date.parse(`${wall}+01:00`),
      dayOf: (atMs) => new Date(atMs + 3_600_000).toISOString().slice(0, 10),
    },
    devices: (deviceId) => devices[deviceId],
    limits,
  })
  const send = (
    topic: string,
    payload: string | object,
    { retain = false, atMs = NOON_MS } = {},
  ): BridgeAnswer =>
    bridge.message(
      topic,
      payload instanceof Uint8Array
        ? payload
        : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
      retain,
      atMs,
    )
  /** What was measured, in short: `metric value unit`. */
  const measured = (topic: string, payload: string | object): string[] | string => {
    const answer = send(topic, payload)
    if (answer.kind !== 'samples') return answer.kind === 'ignored' ? answer.reason : answer.kind
    return answer.samples.length > 0
      ? answer.samples.map(({ metric, value, unit }) => `${metric} ${String(value)} ${unit}`)
      : (answer.reason ?? 'nothing')
  }
  return { bridge, send, measured }
}
