/** The table of people, with a copy in memory of everybody. */
import {
  ageOn,
  type DiabetesType,
  kindForAge,
  OPEN_OBJECT_BYTES,
  type Person,
  type PersonKind,
  USUAL_TARGET,
} from '../../domain/person.ts'
import { isDay, isZone } from '../../domain/zone.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { SqlParams, Store } from '../../store/store.ts'

export interface StoredPerson {
  id: string
  name: string
  kind: PersonKind
  birthDate: string | null
  /** Years as told, where no birth date is known. */
  age: number | null
  timezone: string
  baselineStress: number | null
  diabetesType: DiabetesType | null
  /** mg/dL. */
  targetGlucoseMin: number
  targetGlucoseMax: number
  /** As sent. */
  schoolEvents: readonly unknown[]
  preferences: Record<string, unknown>
  createdAtMs: number
  updatedAtMs: number
}

export interface PersonChanges {
  id?: string
  name?: string
  kind?: PersonKind
  birthDate?: string | null
  age?: number | null
  timezone?: string
  baselineStress?: number | null
  diabetesType?: DiabetesType | null
  targetGlucoseMin?: number
  targetGlucoseMax?: number
  schoolEvents?: readonly unknown[]
  preferences?: Record<string, unknown>
}

export interface Register {
  exists(id: string): boolean
  get(id: string): StoredPerson | undefined
  all(): StoredPerson[]
  /** Throws CONFLICT when the id is taken, also by somebody removed. */
  add(person: PersonChanges & { name: string }): Promise<StoredPerson>
  /** Merges; a new time zone moves the person's days. Throws NOT_FOUND. */
  change(id: string, changes: PersonChanges): Promise<StoredPerson>
  /** Hides the person; what was recorded stays until it is erased. Throws NOT_FOUND. */
  remove(id: string): Promise<void>
  /** Tells who was just removed; returns the way to stop listening. */
  onRemoved(listener: (personId: string) => void): () => void
  /** Reads again after another part changed persons. */
  reload(): void
}

export interface RegisterDeps {
  store: Store
  clock: Clock
  /** The household's zone, for people added without one. */
  timezone: () => string
}

type Row = Omit<StoredPerson, 'preferences' | 'schoolEvents'> & { preferences: string; schoolEvents: string }

const SELECT = `SELECT id, name, kind, birth_date AS birthDate, age, timezone, baseline_stress AS baselineStress,
    diabetes_type AS diabetesType, target_glucose_min AS targetGlucoseMin, target_glucose_max AS targetGlucoseMax,
    school_events AS schoolEvents, preferences, created_at AS createdAtMs, updated_at AS updatedAtMs
  FROM person WHERE deleted_at IS NULL ORDER BY created_at, key`
const INSERT = `INSERT INTO person (id, name, kind, birth_date, age, timezone, baseline_stress, diabetes_type,
    target_glucose_min, target_glucose_max, school_events, preferences, created_at, updated_at)
  VALUES (:id, :name, :kind, :birthDate, :age, :timezone, :baselineStress, :diabetesType, :targetGlucoseMin,
    :targetGlucoseMax, :schoolEvents, :preferences, :createdAtMs, :updatedAtMs)`
const UPDATE = `UPDATE person SET name = :name, kind = :kind, birth_date = :birthDate, age = :age, timezone = :timezone,
    baseline_stress = :baselineStress, diabetes_type = :diabetesType, target_glucose_min = :targetGlucoseMin,
    target_glucose_max = :targetGlucoseMax, school_events = :schoolEvents, preferences = :preferences, updated_at = :updatedAtMs
  WHERE id = :id AND deleted_at IS NULL`

export function createRegister({ store, clock, timezone }: RegisterDeps): Register {
  let people = new Map<string, StoredPerson>()
  const listeners = new Set<(personId: string) => void>()

  function reload(): void {
    const rows = store.all<Row>(SELECT)
    people = new Map(rows.map((row) => [row.id, fromRow(row)]))
  }

  function existing(id: string): StoredPerson {
    const person = people.get(id)
    if (!person) throw new HubError('NOT_FOUND', 'There is no person with this id.')
    return person
  }

  async function save(sql: string, person: StoredPerson): Promise<StoredPerson> {
    await store.write([{ sql, params: paramsOf(person), expect: 1 }])
    reload()
    return person
  }

  reload()
  return {
    exists: (id) => people.has(id),
    get: (id) => people.get(id),
    all: () => [...people.values()],
    async add({ id, ...rest }) {
      const nowMs = clock.now()
      const blank = blankPerson(id ?? newId(nowMs), timezone(), nowMs)
      if (store.get('SELECT 1 FROM person WHERE id = :id', { id: blank.id })) {
        throw new HubError(
          'CONFLICT',
          'There is or was a person with this id. Choose another, or leave it out.',
        )
      }
      return save(INSERT, merged(blank, rest, nowMs))
    },
    async change(id, changes) {
      const before = existing(id)
      const after = await save(UPDATE, merged(before, changes, clock.now()))
      if (after.timezone !== before.timezone) await store.rezone(id)
      return after
    },
    async remove(id) {
      existing(id)
      const params = { id, nowMs: clock.now() }
      await store.write([
        { sql: 'UPDATE person SET deleted_at = :nowMs WHERE id = :id AND deleted_at IS NULL', params },
      ])
      reload()
      for (const listener of listeners) listener(id)
    },
    onRemoved(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    reload,
  }
}

export function personView(person: StoredPerson, nowMs: number): Person {
  return {
    id: person.id,
    name: person.name,
    full_name: person.name,
    kind: person.kind,
    birth_date: person.birthDate,
    age: yearsOf(person, nowMs),
    timezone: person.timezone,
    baseline_stress: person.baselineStress,
    diabetes_type: person.diabetesType,
    target_glucose_min: person.targetGlucoseMin,
    target_glucose_max: person.targetGlucoseMax,
    school_events: [...person.schoolEvents],
    preferences: person.preferences,
    created_at: iso(person.createdAtMs),
    updated_at: iso(person.updatedAtMs),
  }
}

function yearsOf({ birthDate, age, timezone }: StoredPerson, nowMs: number): number | null {
  return birthDate === null ? age : ageOn(birthDate, nowMs, timezone)
}

function blankPerson(id: string, timezone: string, nowMs: number): StoredPerson {
  return {
    id,
    name: '',
    kind: 'adult',
    birthDate: null,
    age: null,
    timezone,
    baselineStress: null,
    diabetesType: null,
    targetGlucoseMin: USUAL_TARGET.minMgPerDl,
    targetGlucoseMax: USUAL_TARGET.maxMgPerDl,
    schoolEvents: [],
    preferences: {},
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

/** Absent fields stay; who gives an age or birth date but no kind gets the kind that goes with it. */
function merged(before: StoredPerson, changes: PersonChanges, nowMs: number): StoredPerson {
  const after = {
    ...before,
    ...changes,
    preferences: { ...before.preferences, ...changes.preferences },
    updatedAtMs: nowMs,
  }
  checkZone(after.timezone)
  checkBirthDate(after.birthDate, nowMs)
  checkTarget(after)
  refuseLarge('preferences', after.preferences)
  refuseLarge('school_events', after.schoolEvents)
  const aged = changes.birthDate !== undefined || changes.age !== undefined
  return changes.kind === undefined && aged ? { ...after, kind: kindForAge(yearsOf(after, nowMs)) } : after
}

function refuseLarge(path: string, value: unknown): void {
  if (Buffer.byteLength(JSON.stringify(value)) <= OPEN_OBJECT_BYTES) return
  throw new HubError('TOO_LARGE', `The ${path} may take 16 KB together. Remove some.`, {
    details: [{ path, message: 'takes more than 16 KB' }],
  })
}

const OLDEST_YEARS = 130

function checkBirthDate(birthDate: string | null, nowMs: number): void {
  if (birthDate === null) return
  const years = isDay(birthDate) ? ageOn(birthDate, nowMs, 'UTC') : null
  // A day ahead is tomorrow's child in a zone east of ours.
  if (years === null || years < -1 || years > OLDEST_YEARS || Date.parse(birthDate) > nowMs + 86_400_000) {
    throw new HubError('VALIDATION_ERROR', 'The birth date is no day on which somebody alive was born.', {
      details: [{ path: 'birth_date', message: 'is no possible birth date', value: birthDate }],
    })
  }
}

function checkTarget({ targetGlucoseMin, targetGlucoseMax }: StoredPerson): void {
  if (targetGlucoseMin < targetGlucoseMax) return
  throw new HubError('VALIDATION_ERROR', 'The target range is empty: target_glucose_min is the lower end.', {
    details: [
      { path: 'target_glucose_min', message: 'is not below target_glucose_max', value: targetGlucoseMin },
    ],
  })
}

function checkZone(timezone: string): void {
  if (isZone(timezone)) return
  throw new HubError(
    'VALIDATION_ERROR',
    'The time zone is not one this hub knows. Use a name such as Europe/Berlin.',
    {
      details: [{ path: 'timezone', message: 'is no IANA time zone', value: timezone }],
    },
  )
}

function fromRow({ preferences, schoolEvents, ...row }: Row): StoredPerson {
  return { ...row, preferences: JSON.parse(preferences), schoolEvents: JSON.parse(schoolEvents) }
}

function paramsOf({ preferences, schoolEvents, ...person }: StoredPerson): SqlParams {
  return {
    ...person,
    preferences: JSON.stringify(preferences),
    schoolEvents: JSON.stringify(schoolEvents),
  }
}
