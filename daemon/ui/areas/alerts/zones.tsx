/** Community zones: how the people of each are together, where they lie, and a new one drawn by tapping. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp, useWords } from '../../app.ts'
import { Confirm, Form, useAction } from '../../parts/action.tsx'
import { Show } from '../../parts/feedback.tsx'
import { Checks, Field } from '../../parts/fields.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { createResource } from '../../state/resource.ts'
import type { Zone, ZoneStatus } from './answers.ts'
import { type Corner, cornersIn, cornersText, extentOf } from './ground.ts'
import { words } from './words.ts'
import { ZoneMap } from './zone-map.tsx'

/** The hub looks once a minute. */
const AGAIN_MS = 30_000
const START_METRES = 2000
const MARKS = { hidden: 'none', calm: 'ok', distress: 'alert' } as const

interface Told extends Zone {
  status: ZoneStatus
}

export function ZonesPage(): JSX.Element {
  const app = useApp()
  const { api } = app
  const say = useWords(words)
  const zones = useMemo(
    () =>
      createResource(async (): Promise<Told[]> => {
        const found = await api.all<Zone>('/community/zones')
        const status = (id: string) =>
          api.get<ZoneStatus>(`/community/zones/${encodeURIComponent(id)}/status`)
        return Promise.all(found.map(async (zone) => ({ ...zone, status: await status(zone.id) })))
      }),
    [api],
  )
  useEffect(() => {
    void zones.reload()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void zones.reload()
    }, AGAIN_MS)
    return () => clearInterval(timer)
  }, [zones])
  return (
    <Screen title={say('zones.title')} back="/alerts" narrow>
      <p class="lead">{say('zones.lead')}</p>
      <Show of={zones}>
        {(found) => (
          <>
            {found.length === 0 && <p>{say('zones.none')}</p>}
            <AllOnMap zones={found} />
            {found.map((zone) => (
              <ZoneOf key={zone.id} zone={zone} onChanged={zones.reload} />
            ))}
            {isOwner(app) && <NewZone zones={found} onMade={zones.reload} />}
          </>
        )}
      </Show>
    </Screen>
  )
}

function AllOnMap({ zones }: { zones: readonly Told[] }): JSX.Element | null {
  const extent = extentOf(cornersOf(zones))
  return extent && <ZoneMap {...extent} zones={zones.map(outlined)} />
}

function ZoneOf({ zone, onChanged }: { zone: Told; onChanged: () => Promise<void> }): JSX.Element {
  const app = useApp()
  const { api, t, format, clock } = app
  const say = useWords(words)
  const { status, people, since } = zone.status
  return (
    <Section title={zone.name}>
      <p>
        <StateMark state={MARKS[status]} word={say(`zones.state.${status}`)} />
      </p>
      <p>{say(`zones.text.${status}`)}</p>
      {people !== null && since !== null && (
        <p class="small">
          {say('zones.people', {
            people,
            when: format.moment(Date.parse(since), app.zone, clock.nowMs()),
          })}
        </p>
      )}
      {isOwner(app) && (
        <Confirm
          small
          label={say('zones.remove')}
          title={say('zones.removeTitle', { name: zone.name })}
          text={say('zones.removeText')}
          confirm={t('action.remove')}
          onConfirm={async () => {
            await api.remove(`/community/zones/${encodeURIComponent(zone.id)}`)
            await onChanged()
          }}
        />
      )}
    </Section>
  )
}

function NewZone({ zones, onMade }: { zones: readonly Told[]; onMade: () => Promise<void> }): JSX.Element {
  const { api, household } = useApp()
  const say = useWords(words)
  const action = useAction()
  const name = useSignal('')
  const corners = useSignal('')
  const members = useSignal<readonly string[]>([])
  const parsed = cornersIn(corners.value)
  const isDrawn = parsed !== null && parsed.length >= 3
  const people = household.people.state.value.value ?? []
  return (
    <Section title={say('zones.new')}>
      <Form
        action={action}
        submit={say('zones.make')}
        disabled={
          name.value.trim() === '' || (!isDrawn && (corners.value !== '' || members.value.length === 0))
        }
        onSubmit={async () => {
          await api.post('/community/zones', {
            ...{ name: name.peek().trim(), members: members.peek(), by_position: isDrawn },
            ...(isDrawn && { polygon: parsed }),
          })
          name.value = ''
          corners.value = ''
          await onMade()
        }}
      >
        <Field label={say('zones.name')} value={name} required maxLength={80} />
        {people.length > 0 && (
          <Checks
            legend={say('zones.members')}
            values={members}
            options={people.map(({ id, name: label }) => ({ value: id, label }))}
          />
        )}
        <Drawing zones={zones} corners={corners} parsed={parsed} />
      </Form>
    </Section>
  )
}

interface DrawingProps {
  zones: readonly Told[]
  corners: Signal<string>
  /** Null where what is typed cannot be read. */
  parsed: Corner[] | null
}

/** Taps and typed corners are the same list: whoever cannot tap types. */
function Drawing({ zones, corners, parsed }: DrawingProps): JSX.Element {
  const say = useWords(words)
  const middle = useSignal('')
  const typed = cornersIn(middle.value)?.[0]
  const known = extentOf(cornersOf(zones))
  const extent = typed ? { middle: typed, metres: START_METRES } : (known ?? extentOf(parsed ?? []))
  return (
    <>
      <Field
        label={say('zones.middle')}
        value={middle}
        hint={say('zones.middleHint')}
        placeholder="52.52 13.40"
      />
      {extent && (
        <ZoneMap
          {...extent}
          zones={zones.map(outlined)}
          drawn={parsed ?? []}
          onTap={(corner) => {
            corners.value = cornersText([...(parsed ?? []), corner])
          }}
        />
      )}
      {parsed !== null && parsed.length > 0 && (
        <button
          type="button"
          class="button compact"
          onClick={() => {
            corners.value = cornersText(parsed.slice(0, -1))
          }}
        >
          {say('zones.undo')}
        </button>
      )}
      <Field
        label={say('zones.corners')}
        value={corners}
        hint={say('zones.cornersHint')}
        error={parsed === null ? say('zones.cornersWrong') : undefined}
      />
    </>
  )
}

function cornersOf(zones: readonly Zone[]): Corner[] {
  return zones.flatMap(({ outlines }) => outlines.flat())
}

function outlined({ id, name, outlines, status }: Told) {
  return { id, name, outlines, isDistressed: status.status === 'distress' }
}
