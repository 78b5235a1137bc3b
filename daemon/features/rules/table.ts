/** The tables of rules and of what they said before: rows, writes, and how the API shows one. */
import type { RuleDraft } from '../../domain/rule.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Store, Write } from '../../store/store.ts'

export interface StoredRule {
  id: string
  personId: string
  definition: RuleDraft
  revision: number
  createdAtMs: number
  updatedAtMs: number
  updatedBy: string
}

export interface StoredVersion {
  revision: number
  definition: RuleDraft
  updatedBy: string
  replacedAtMs: number
}

/** A person has this many rules at most. */
export const RULES_PER_PERSON = 50

type Row = Omit<StoredRule, 'definition'> & { definition: string }

const SELECT = `SELECT r.id, p.id AS personId, r.definition, r.revision, r.created_at AS createdAtMs,
    r.updated_at AS updatedAtMs, r.updated_by AS updatedBy
  FROM rule r JOIN person p ON p.key = r.person_key AND p.deleted_at IS NULL WHERE r.deleted_at IS NULL`
const ALL = `${SELECT} ORDER BY r.created_at, r.id`
const BY_ID = `${SELECT} AND r.id = :id`
const VERSIONS = `SELECT revision, definition, updated_by AS updatedBy, replaced_at AS replacedAtMs
  FROM rule_version WHERE rule_id = :id ORDER BY revision DESC LIMIT 200`
const ADD = `INSERT INTO rule (id, person_key, definition, created_at, updated_at, updated_by)
  SELECT :id, key, :definition, :nowMs, :nowMs, :by FROM person
  WHERE id = :personId AND deleted_at IS NULL
    AND (SELECT count(*) FROM rule WHERE person_key = person.key AND deleted_at IS NULL) < ${RULES_PER_PERSON}`
const KEEP = `INSERT INTO rule_version (rule_id, revision, definition, updated_by, replaced_at)
  SELECT id, revision, definition, updated_by, :nowMs FROM rule WHERE id = :id AND revision = :revision`
const CHANGE = `UPDATE rule SET definition = :definition, revision = revision + 1, updated_at = :nowMs, updated_by = :by
  WHERE id = :id AND revision = :revision AND deleted_at IS NULL`
const REMOVE = `UPDATE rule SET revision = revision + 1, updated_at = :nowMs, updated_by = :by, deleted_at = :nowMs
  WHERE id = :id AND revision = :revision AND deleted_at IS NULL`

export interface RuleTable {
  all(): StoredRule[]
  find(id: string): StoredRule | undefined
  /** What it said before, newest first. */
  versions(id: string): StoredVersion[]
}

export function createRuleTable(store: Pick<Store, 'all' | 'get'>): RuleTable {
  // Definitions were written by this table from checked drafts.
  const parsed = <One extends { definition: string }>(row: One) => ({
    ...row,
    definition: JSON.parse(row.definition) as RuleDraft,
  })
  return {
    all: () => store.all<Row>(ALL).map(parsed),
    find(id) {
      const row = store.get<Row>(BY_ID, { id })
      return row && parsed(row)
    },
    versions: (id) =>
      store.all<Omit<StoredVersion, 'definition'> & { definition: string }>(VERSIONS, { id }).map(parsed),
  }
}

/** Each rejects its unit with CONFLICT when the rule has changed since it was read. */
export const ruleWrites = {
  add(rule: { id: string; personId: string; definition: RuleDraft }, by: string, nowMs: number): Write[] {
    const { id, personId } = rule
    const definition = JSON.stringify(rule.definition)
    return [{ sql: ADD, params: { id, personId, definition, by, nowMs }, expect: 1 }]
  },
  change({ id, revision }: StoredRule, definition: RuleDraft, by: string, nowMs: number): Write[] {
    const params = { id, revision, nowMs }
    return [
      { sql: KEEP, params, expect: 1 },
      { sql: CHANGE, params: { ...params, by, definition: JSON.stringify(definition) }, expect: 1 },
    ]
  },
  remove({ id, revision }: StoredRule, by: string, nowMs: number): Write[] {
    const params = { id, revision, nowMs }
    return [
      { sql: KEEP, params, expect: 1 },
      { sql: REMOVE, params: { ...params, by }, expect: 1 },
    ]
  },
}

export function ruleView({ definition, ...row }: StoredRule) {
  return {
    id: row.id,
    person_id: row.personId,
    ...definition,
    revision: row.revision,
    created_at: iso(row.createdAtMs),
    updated_at: iso(row.updatedAtMs),
    updated_by: row.updatedBy,
  }
}

export function versionView({ definition, ...row }: StoredVersion) {
  return {
    revision: row.revision,
    ...definition,
    updated_by: row.updatedBy,
    replaced_at: iso(row.replacedAtMs),
  }
}
