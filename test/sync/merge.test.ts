import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hlcAt } from '../../sync/clock.ts'
import {
  canonicalJson,
  edited,
  fieldOf,
  isDeleted,
  latestEdit,
  mergeConsent,
  mergeEntity,
  mergeErasure,
  withoutErased,
} from '../../sync/merge.ts'
import type { Consent, Entity, Erasure } from '../../sync/rows.ts'

const hlc = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom('hub-a', 'hub-b', 'cloud'))
  .map(([ms, node]) => hlcAt(ms, node))
const subject = fc.constantFrom('mia', 'ben')
const entity: fc.Arbitrary<Entity> = fc.record({
  subject: fc.option(subject),
  fields: fc.dictionary(
    fc.constantFrom('title', 'start', 'deleted', 'member:mia', 'member:ben'),
    fc.tuple(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constant(null)), hlc),
    { maxKeys: 4 },
  ),
})
const consent: fc.Arbitrary<Consent> = fc.record({
  subject,
  grant: fc.option(
    fc.record({
      grantee: fc.constantFrom('coach', 'aunt'),
      class: fc.constantFrom('wellness' as const, 'glucose' as const),
      action: fc.constant('read' as const),
      expires_at: fc.constant(null),
      granted: hlc,
    }),
  ),
  revoked: fc.option(hlc),
})
const erasure: fc.Arbitrary<Erasure> = fc.record({
  subject: fc.constant('mia'),
  requested_at: fc.integer({ min: 0, max: 3 }),
  requested_by: fc.constantFrom('hub:a', 'cloud:1'),
})

function isJoin<Value>(values: fc.Arbitrary<Value>, merge: (one: Value, other: Value) => Value): void {
  const same = (one: Value, other: Value) => assert.equal(canonicalJson(one), canonicalJson(other))
  fc.assert(
    fc.property(values, values, values, (a, b, c) => {
      same(merge(a, b), merge(b, a))
      same(merge(merge(a, b), c), merge(a, merge(b, c)))
      same(merge(a, merge(a, b)), merge(a, b))
    }),
    { numRuns: 300 },
  )
}

test('entities end the same in whatever order and however often edits arrive', () => {
  isJoin(entity, mergeEntity)
})

test('consents end the same in whatever order and however often they arrive', () => {
  isJoin(consent, mergeConsent)
})

test('erasures end the same in whatever order and however often they arrive', () => {
  isJoin(erasure, mergeErasure)
})

test('a withdrawal wins over the grant, however late the grant is', () => {
  fc.assert(
    fc.property(consent, hlc, (granted, revoked) => {
      const withdrawn = mergeConsent({ subject: granted.subject, grant: null, revoked }, granted)
      assert.ok(withdrawn.revoked !== null && withdrawn.revoked <= revoked)
    }),
    { numRuns: 100 },
  )
})

test('what is left after an erasure does not depend on when it was applied', () => {
  const erased = new Set(['mia'])
  const left = (value: Entity | null) => (value === null ? null : withoutErased(value, erased))
  fc.assert(
    fc.property(entity, entity, (a, b) => {
      const [early, other] = [left(a), left(b)]
      // An entity about the erased person is gone whole; otherwise the parts merge to the same.
      if (early === null || other === null) return
      assert.equal(canonicalJson(left(mergeEntity(early, other))), canonicalJson(left(mergeEntity(a, b))))
    }),
    { numRuns: 300 },
  )
})

test('two coaches who edit different fields both keep their edit', () => {
  const training: Entity = {
    subject: null,
    fields: { title: ['Passing', hlcAt(1, 'hub-a')], start: [9, hlcAt(1, 'hub-a')] },
  }
  const onHub = edited(training, { start: 10 }, hlcAt(5, 'hub-a'))
  const inCloud = edited(training, { title: 'Pressing' }, hlcAt(4, 'cloud'))
  const both = mergeEntity(onHub, inCloud)
  assert.deepEqual([fieldOf(both, 'title'), fieldOf(both, 'start')], ['Pressing', 10])
  assert.equal(latestEdit(both), hlcAt(5, 'hub-a'))
})

test('an edit that changes nothing carries no new reading, and a deletion can be taken back', () => {
  const training: Entity = { subject: null, fields: { title: ['Passing', hlcAt(1, 'hub-a')] } }
  assert.equal(latestEdit(edited(training, { title: 'Passing' }, hlcAt(9, 'cloud'))), hlcAt(1, 'hub-a'))
  const deleted = edited(training, { deleted: true }, hlcAt(2, 'cloud'))
  assert.equal(isDeleted(deleted), true)
  assert.equal(isDeleted(edited(deleted, { deleted: false }, hlcAt(3, 'hub-a'))), false)
})
