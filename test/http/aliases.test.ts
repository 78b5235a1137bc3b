import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { renameFields, rewrite, withDataOnTop } from '../../daemon/http/aliases.ts'

const PATHS: [url: string, accept: string | undefined, rewritten: string, seed: boolean][] = [
  ['/api/ingest', undefined, '/api/v1/ingest', true],
  ['/api/forecast/child_1?hours=24', undefined, '/api/v1/forecast/child_1?hours=24', true],
  ['/api/v1/ingest', undefined, '/api/v1/ingest', false],
  ['/api/v2/properties', undefined, '/api/v2/properties', false],
  ['/api/local-edge/sync', undefined, '/api/local-edge/sync', false],
  ['/api/v1x', undefined, '/api/v1/v1x', true],
  ['/api/', undefined, '/api/', false],
  ['/health_data/ingest', 'application/json', '/api/v1/health_data/ingest', true],
  ['/episodes/start', undefined, '/api/v1/episodes/start', true],
  ['/groups?page=2', '*/*', '/api/v1/groups?page=2', true],
  ['/groups', 'text/html,application/xhtml+xml', '/groups', false],
  ['/grouse', undefined, '/grouse', false],
  ['/health', undefined, '/api/v1/health', false],
  ['/metrics', undefined, '/api/v1/metrics', false],
  ['/app/groups', undefined, '/app/groups', false],
]

for (const [url, accept, rewritten, seed] of PATHS) {
  test(`${url} (${accept ?? 'any'}) means ${rewritten}`, () => {
    assert.deepEqual(rewrite(url, accept), { url: rewritten, seed })
  })
}

test('on a seed path the keys of data stand on top, never over the envelope', () => {
  const data = { status: 'success', success: false, error: 'x', timestamp: 'mine', forecast: [1] }
  const answer = withDataOnTop({ success: true, data, timestamp: '2026-03-14T08:00:00.000Z' })
  assert.deepEqual(answer, {
    status: 'success',
    forecast: [1],
    success: true,
    data,
    timestamp: '2026-03-14T08:00:00.000Z',
  })
  assert.equal(Object.keys(answer as object).at(-1), 'timestamp')
})

test('lists and refusals stay as they are on a seed path', () => {
  const list = { success: true, data: [1], timestamp: 't' }
  const refusal = { success: false, error: { code: 'NOT_FOUND' }, timestamp: 't' }
  assert.equal(withDataOnTop(list), list)
  assert.equal(withDataOnTop(refusal), refusal)
})

test("the seeds' field names mean ours where the route has no field of that name", () => {
  const schema = Type.Object({ person_id: Type.String(), from: Type.String(), to: Type.String() })
  const body = { child_id: 'mia', start: 'a', end: 'b' }
  assert.equal(renameFields(body, schema), null)
  assert.deepEqual(body, { person_id: 'mia', from: 'a', to: 'b' })
})

test("a grant's user_id is not taken for a person", () => {
  const schema = Type.Object({ person_id: Type.String(), user_id: Type.String() })
  const body = { person_id: 'mia', user_id: 'coach-1' }
  renameFields(body, schema)
  assert.deepEqual(body, { person_id: 'mia', user_id: 'coach-1' })
})

test('two names for one person that disagree are told by name', () => {
  const schema = Type.Object({ person_id: Type.String() })
  assert.equal(renameFields({ person_id: 'mia', child_id: 'leo' }, schema), 'child_id')
  assert.equal(renameFields({ person_id: 'mia', child_id: 'mia' }, schema), null)
})
