/** What a household chose for everybody in it, and what each user chose for themselves. */
import { Type } from 'typebox'
import { GLUCOSE_UNITS, type GlucoseUnit, glucoseUnitOf } from '../../domain/glucose-unit.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'

export interface PreferencesDeps {
  store: Pick<Store, 'get' | 'write'>
  now: () => number
  /** What a user keeps under `preferences` of their account. */
  ownOf: (userId: string) => Readonly<Record<string, unknown>>
}

export interface Preferences {
  feature: Feature
  /** What everybody reads glucose in who chose nothing else; mg/dL until the owner says otherwise. */
  glucoseUnit(): GlucoseUnit
  /** The same for one user; the household's for null. */
  glucoseUnitOf(userId: string | null): GlucoseUnit
  /** Forgets the choices of an owner who is gone. */
  planNone(): Plan<null>
}

const META = 'glucose_unit'
const READ: Policy = { access: 'signed-in', roles: USER_ROLES }
const WRITE: Policy = { access: 'signed-in', roles: ['owner'] }
const Unit = Type.Enum([...GLUCOSE_UNITS])
const Shown = Type.Object(
  {
    /** Of the household. */
    glucose_unit: Unit,
    /** What the caller chose in `preferences.glucose_unit` of their account; null: as the household. */
    own_glucose_unit: Type.Union([Unit, Type.Null()]),
  },
  { additionalProperties: false },
)
const Changes = Type.Object({ glucose_unit: Type.Optional(Unit) }, { additionalProperties: false })
const PUT = `INSERT INTO meta (name, value) VALUES ('${META}', :unit) ON CONFLICT (name) DO UPDATE SET value = :unit`

export function createPreferences({ store, now, ownOf }: PreferencesDeps): Preferences {
  const read = () =>
    glucoseUnitOf(store.get<{ value: string }>(`SELECT value FROM meta WHERE name = '${META}'`)?.value) ??
    'mg/dL'
  let unit = read()
  const ownUnit = (userId: string) => glucoseUnitOf(ownOf(userId)[META])

  function routes(http: Http): void {
    const url = '/household/preferences'
    const about = (summary: string) => ({ tags: ['household'], summary, response: { 200: Ok(Shown) } })
    const shown = (userId: string | null) => ({
      glucose_unit: unit,
      own_glucose_unit: userId === null ? null : ownUnit(userId),
    })
    const userOf = ({ actor }: { actor: { kind: string; userId?: string } }) => actor.userId ?? null
    http.get(
      url,
      { config: { policy: READ }, schema: about('The units of this household, and those of my own') },
      async (request) => ok(now(), shown(userOf(request))),
    )
    http.patch(
      url,
      {
        config: { policy: WRITE },
        schema: { ...about('Choose the units of this household'), body: Changes },
      },
      async (request) => {
        const chosen = request.body.glucose_unit
        if (chosen !== undefined) {
          await store.write([{ sql: PUT, params: { unit: chosen } }])
          unit = chosen
        }
        return ok(now(), shown(userOf(request)))
      },
    )
  }

  return {
    feature: { name: 'preferences', routes },
    glucoseUnit: () => unit,
    glucoseUnitOf: (userId) => (userId === null ? null : ownUnit(userId)) ?? unit,
    planNone: () => ({
      result: null,
      writes: [{ sql: `DELETE FROM meta WHERE name = '${META}'` }],
      committed() {
        unit = 'mg/dL'
      },
    }),
  }
}
