/** What devices and integrations say about an alert over MQTT. Everything they send is judged before it counts. */
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Id } from '../../domain/id.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Answers } from './answers.ts'
import { noSuchAlert } from './answers.ts'
import type { Outbox } from './outbox.ts'
import type { AlertTable } from './table.ts'

const Minutes = Type.Integer({ minimum: 1, maximum: 720, default: 15 })
/** `{"alert":"<id>","action":"ack"|"snooze"|"seen"}`, on `hf/<deviceId>/raw/ack`. */
const DeviceWord = Type.Object(
  {
    alert: Id,
    action: Type.Enum(['ack', 'snooze', 'seen'], { default: 'ack' }),
    minutes: Type.Optional(Minutes),
    ts: Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Number()])),
  },
  { additionalProperties: false },
)
/** `ack`, `snooze`, or the same as JSON with minutes, on `hf/in/alert/<id>`. */
const HouseWord = Type.Object(
  { action: Type.Enum(['ack', 'snooze']), minutes: Type.Optional(Minutes) },
  { additionalProperties: false },
)
const BYTES_MAX = 1024
const DEFAULT_SNOOZE_MINUTES = 15

export interface WordsDeps {
  table: AlertTable
  outbox: Outbox
  answers: Answers
  /** Who wears the device now. */
  wearerOf: (deviceId: string) => string | null
}

export interface Words {
  /** Rejects with VALIDATION_ERROR for what is no word, NOT_FOUND for an alert that did not ring on this device. */
  fromDevice(deviceId: string, payload: Uint8Array): Promise<void>
  fromHouse(
    deviceId: string,
    alertId: string,
    payload: Uint8Array,
    mayHear: (personId: string) => boolean,
  ): Promise<void>
}

export function createWords({ table, outbox, answers, wearerOf }: WordsDeps): Words {
  const deviceWord = Compile(DeviceWord)
  const houseWord = Compile(HouseWord)

  async function answer(
    alertId: string,
    { action, minutes = DEFAULT_SNOOZE_MINUTES }: Omit<Static<typeof DeviceWord>, 'alert'>,
    by: string,
    recipient: string,
  ): Promise<void> {
    if (action === 'ack') await answers.acknowledge(alertId, by, recipient)
    else if (action === 'snooze') await answers.snooze(alertId, recipient, minutes)
    else await answers.seen(alertId, recipient, null)
  }

  return {
    async fromDevice(deviceId, payload) {
      const word = deviceWord.Default(parsed(payload))
      if (!deviceWord.Check(word)) throw notAWord('{"alert":"<id>","action":"ack"|"snooze"|"seen"}')
      const alert = table.find(word.alert)
      const rung = alert && outbox.ofAlert(alert.seq).find(({ address }) => address === deviceId)
      if (!alert || !rung) throw noSuchAlert()
      // A watch that changed hands speaks for nobody but its wearer; a wall tablet speaks for the house.
      const wearer = wearerOf(deviceId)
      if (rung.recipient.startsWith('person:') && rung.recipient !== `person:${wearer}`) throw noSuchAlert()
      const by = rung.recipient === 'house' ? `device:${deviceId}` : rung.recipient
      await answer(alert.id, word, by, rung.recipient)
    },
    async fromHouse(deviceId, alertId, payload, mayHear) {
      const text = Buffer.from(payload.subarray(0, BYTES_MAX)).toString('utf8').trim()
      const word = text === 'ack' || text === 'snooze' ? { action: text } : parsed(payload)
      if (!houseWord.Check(word)) throw notAWord('ack, snooze or {"action":"snooze","minutes":30}')
      const alert = table.find(alertId)
      if (!alert || !mayHear(alert.personId)) throw noSuchAlert()
      await answer(alertId, word, `device:${deviceId}`, 'house')
    },
  }
}

function parsed(payload: Uint8Array): unknown {
  if (payload.byteLength > BYTES_MAX) throw new HubError('TOO_LARGE', 'A word on an alert has at most 1 KB.')
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return null
  }
}

function notAWord(shape: string): HubError {
  return new HubError('VALIDATION_ERROR', `This is no word on an alert. Send ${shape}.`)
}
