import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnnouncement } from '../../../daemon/features/announce/announce.ts'
import type { ServiceRecord } from '../../../daemon/features/announce/multicast.ts'
import { createLog } from '../../../daemon/kernel/log.ts'

function setup({ enabled = true, fails = false } = {}) {
  const said: ServiceRecord[][] = []
  const lines: string[] = []
  let closed = 0
  let trouble: (cause: unknown) => void = () => {}
  const hub = {
    hubId: '0190-ab-c3d4',
    name: 'Hallway',
    httpsPort: 8443,
    mqttsPort: 8883,
    caSha256: 'f'.repeat(64),
  }
  const announcement = createAnnouncement({
    log: createLog('warn', { write: (line: string) => void lines.push(line) }),
    enabled,
    describe: () => hub,
    open(onTrouble) {
      if (fails) throw new Error('no multicast here')
      trouble = onTrouble
      return {
        replace: async (records) => void said.push([...records]),
        close: async () => {
          closed += 1
        },
      }
    },
  })
  return { announcement, hub, said, lines, closed: () => closed, trouble: (cause: unknown) => trouble(cause) }
}

test('the hub says where app and broker are, and who it is', async () => {
  const { announcement, said } = setup()
  await announcement.feature.start?.()
  assert.deepEqual(
    said[0]?.map(({ name, type, port, txt }) => ({ name, type, port, txt })),
    [
      {
        name: 'Hallway c3d4',
        type: 'homefield',
        port: 8443,
        txt: { id: '0190-ab-c3d4', path: '/', ca: 'ffffffffffffffff' },
      },
      {
        name: 'Hallway c3d4',
        type: 'mqtt',
        port: 8883,
        txt: { id: '0190-ab-c3d4', path: '/mqtt', ca: 'ffffffffffffffff', tls: '1' },
      },
    ],
  )
  assert.match(said[0]?.[0]?.host ?? '', /^[^.]+\.local$/)
  assert.deepEqual(announcement.state(), { state: 'up', detail: null })
})

test('a changed port or name is said anew, and a stop says goodbye', async () => {
  const { announcement, hub, said, closed } = setup()
  await announcement.refresh()
  assert.equal(said.length, 0, 'nothing before the start')
  await announcement.feature.start?.()
  hub.httpsPort = 9443
  hub.mqttsPort = 0
  hub.name = 'ä'.repeat(60)
  await announcement.refresh()
  assert.deepEqual(
    said[1]?.map(({ name, port }) => [name, port]),
    [[`${'ä'.repeat(29)} c3d4`, 9443]],
  )
  await announcement.feature.stop?.()
  assert.equal(closed(), 1)
  assert.equal(announcement.state().state, 'down')
})

test('a network without multicast is logged once and degrades, never stops the hub', async () => {
  const { announcement, lines, trouble } = setup()
  await announcement.feature.start?.()
  trouble(new Error('ENETUNREACH'))
  trouble(new Error('ENETUNREACH'))
  assert.equal(lines.length, 1)
  assert.equal(announcement.state().state, 'degraded')
  await announcement.refresh()
  assert.equal(announcement.state().state, 'up')
  const blocked = setup({ fails: true })
  await blocked.announcement.feature.start?.()
  assert.match(blocked.announcement.state().detail ?? '', /no multicast here/)
  await blocked.announcement.feature.stop?.()
})

test('switched off it opens nothing', async () => {
  const { announcement, said } = setup({ enabled: false })
  await announcement.feature.start?.()
  assert.deepEqual([said.length, announcement.state().state], [0, 'up'])
})
