import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { household, MIA } from '../glucose/setup.ts'

type Shown = Record<string, unknown> & { id: string; revision: number }

async function setup(t: TestContext) {
  return household(t, (parts) => [createRecords({ ...parts, newId: () => newId(parts.now()) }).feature])
}

test('a day has one journal, which is about today where it says no date', async (t) => {
  const { call } = await setup(t)
  const first = await call<Shown>('POST', '/journal', MIA, {
    energy: 6,
    soreness: 2,
    sleep_feeling: 8,
    answers: { caffeine: true },
    tags: ['exam', 'exam', 'late'],
    notes: 'long day',
  })
  assert.equal(first.status, 201)
  const { id, created_at: _c, updated_at: _u, ...rest } = first.body.data
  assert.deepEqual(rest, {
    person_id: 'mia',
    date: '2026-03-14',
    energy: 6,
    soreness: 2,
    sleep_feeling: 8,
    answers: { caffeine: true },
    tags: ['exam', 'late'],
    notes: 'long day',
    source: 'manual',
    revision: 0,
    deleted_at: null,
  })
  const anew = await call<Shown>('POST', '/journal', MIA, { date: '2026-03-14', energy: 3 })
  assert.deepEqual([anew.body.data.id, anew.body.data.revision, anew.body.data['notes']], [id, 1, null])
  const patched = await call<Shown>('PATCH', `/journal/${id}`, MIA, { soreness: 5 })
  assert.deepEqual([patched.body.data['energy'], patched.body.data['soreness']], [3, 5])
  const { body } = await call<{ history: { fields: object }[] }>('GET', `/journal/${id}`, MIA)
  assert.deepEqual(
    body.data.history.map(({ fields }) => Reflect.get(fields, 'energy')),
    [6, 3],
  )
})

test('a journal is listed on its own local day, whatever the clocks did', async (t) => {
  const { call } = await setup(t)
  for (const date of ['2025-03-29', '2025-03-30', '2025-03-31', '2025-10-26'])
    await call('POST', '/journal', MIA, { date, energy: 5 })
  for (const date of ['2025-03-29', '2025-03-30', '2025-03-31', '2025-10-26']) {
    const { body } = await call<Shown[]>('GET', `/journal?from=${date}&to=${date}`, MIA)
    assert.deepEqual(
      body.data.map((one) => one['date']),
      [date],
    )
  }
})

test('a journal of tomorrow, beyond the scale or of no day is refused with the field', async (t) => {
  const { call } = await setup(t)
  const refused = async (body: object) => {
    const { status, body: answer } = await call('POST', '/journal', MIA, body)
    return [status, answer.error.details[0]?.path]
  }
  assert.deepEqual(await refused({ date: '2026-03-15', energy: 5 }), [422, 'date'])
  assert.deepEqual(await refused({ energy: 11 }), [422, 'energy'])
  assert.deepEqual(await refused({ date: '2026-02-30' }), [400, 'date'])
})
