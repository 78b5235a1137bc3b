import type { AedesOptions, Client, ConnectPacket } from 'aedes'
import { isId, RESERVED_IDS } from '../domain/id.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Counters } from './counters.ts'
import type { Devices } from './ports.ts'
import type { Sessions } from './sessions.ts'
import { rulePublish } from './topics.ts'

export interface ConnectDeps {
  devices: Devices
  sessions: Sessions
  counters: Counters
  log: Log
}

type Hooks = Required<Pick<AedesOptions, 'preConnect' | 'authenticate'>>

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
const IDENTIFIER_REJECTED = 2
const SERVER_UNAVAILABLE = 3
const BAD_USER_OR_PASSWORD = 4
const NOT_AUTHORIZED = 5
const MAX_KEY_CHARACTERS = 256

class Refused extends Error {
  readonly returnCode: number
  constructor(returnCode: number, message: string) {
    super(message)
    this.returnCode = returnCode
  }
}

/** Lets a connection in whose user name and client id are a device's id and whose password is its key. */
export function createConnectHooks({ devices, sessions, counters, log }: ConnectDeps): Hooks {
  const wills = new WeakMap<object, NonNullable<ConnectPacket['will']>>()

  const admit = async (
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<void> => {
    if (username === undefined || password === undefined || !isId(username) || RESERVED_IDS.has(username)) {
      throw new Refused(BAD_USER_OR_PASSWORD, 'user name is the device id, password its key')
    }
    if (client.id !== username) throw new Refused(IDENTIFIER_REJECTED, 'the client id is the device id')
    const key = password.toString('utf8')
    const device = key.length > MAX_KEY_CHARACTERS ? null : await devices.authenticate(username, key)
    if (!device) throw new Refused(BAD_USER_OR_PASSWORD, 'unknown device or wrong key')
    const will = wills.get(client)
    const ruling = will && rulePublish(device, will.topic, will.retain === true)
    if (ruling && 'violation' in ruling) throw new Refused(NOT_AUTHORIZED, `will: ${ruling.violation}`)
    sessions.open(client, device)
  }

  return {
    preConnect(client, packet, done) {
      if (packet.will) wills.set(client, packet.will)
      // aedes would speak MQTT 3.1 as well; it answers what is older with "unacceptable protocol version".
      if (packet.protocolVersion === 3) Object.assign(packet, { protocolVersion: 2 })
      done(null, true)
    },
    authenticate(client, username, password, done) {
      admit(client, username, password).then(
        () => done(null, true),
        (cause: unknown) => {
          counters.unauthenticated++
          const refused =
            cause instanceof Refused
              ? cause
              : new Refused(SERVER_UNAVAILABLE, 'the device register does not answer')
          const facts = { deviceId: username?.slice(0, 64), reason: refused.message }
          if (cause instanceof Refused) log.info(facts, 'connection refused')
          else log.error({ ...facts, cause: messageOf(cause) }, 'device could not be checked')
          done(refused, false)
        },
      )
    },
  }
}
