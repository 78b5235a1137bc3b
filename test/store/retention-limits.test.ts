import assert from 'node:assert/strict'
import { test } from 'node:test'
import { USUAL_RETENTION } from '../../daemon/domain/retention.ts'
import { forgetQuarantine } from '../../daemon/store/quarantine.ts'
import { createRetentionSetting } from '../../daemon/store/retention-limits.ts'
import { setup } from './home.ts'

test('what is kept how long is as the household is told until the owner chooses, and then as chosen', async (t) => {
  const { store, reopen } = await setup(t)
  const setting = createRetentionSetting(store)
  assert.deepEqual(setting.read(), USUAL_RETENTION)
  const chosen = { ...USUAL_RETENTION, minute_row_days: 10, quarantine_days: 7 }
  await store.write(setting.plan(chosen).writes)
  assert.deepEqual(setting.read(), chosen)
  await store.close()
  assert.deepEqual(createRetentionSetting(await reopen()).read(), chosen)
})

test('limits that contradict each other are refused with the reason', async (t) => {
  const { store } = await setup(t)
  const setting = createRetentionSetting(store)
  const refused = { code: 'VALIDATION_ERROR' }
  assert.throws(() => setting.plan({ ...USUAL_RETENTION, minute_days: 30 }), refused)
  assert.throws(() => setting.plan({ ...USUAL_RETENTION, minute_days: 200 }), refused)
})

test('a stored choice that this program cannot read makes way for the usual one', async (t) => {
  const { store } = await setup(t)
  await store.write([{ sql: `INSERT INTO meta (name, value) VALUES ('retention', '{"raw_days":1}')` }])
  assert.deepEqual(createRetentionSetting(store).read(), USUAL_RETENTION)
})

test('what was set aside long ago is let go, however much it is, and what is newer stays', async (t) => {
  const { store } = await setup(t)
  const put = (at: number) => ({
    sql: `INSERT INTO quarantine (device_id, at, topic, code, reason, payload, payload_bytes) VALUES ('', :at, '', '', '', x'00', 1)`,
    params: { at },
  })
  await store.write(Array.from({ length: 450 }, (_, at) => put(at)))
  assert.equal(await forgetQuarantine(store, 430), 430)
  assert.equal(store.get<{ n: number }>('SELECT count(*) AS n FROM quarantine')?.n, 20)
})
