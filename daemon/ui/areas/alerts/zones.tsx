/** Community zones: how the people of each are together, where they lie, and a new one drawn by tapping. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp, useWords } from '../../app.ts'
import { Confirm } from '../../parts/action.tsx'
import { Show } from '../../parts/feedback.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { createResource } from '../../state/resource.ts'
import type { Zone, ZoneStatus } from './answers.ts'
import { type Corner, extentOf } from './ground.ts'
import { words } from './words.ts'
import { ZoneForm } from './zone-form.tsx'
import { ZoneMap } from './zone-map.tsx'

const MARKS = { hidden: 'none', calm: 'ok', distress: 'alert' } as const

interface Told extends Zone {
  status: ZoneStatus
}

export function ZonesPage(): JSX.Element {
  const app = useApp()
  const { api, following } = app
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
  }, [zones])
  const ids = (zones.state.value.value ?? []).map(({ id }) => id).join(' ')
  // The hub says on each zone's topic what has become of it.
  useEffect(() => {
    const reload = () => void zones.reload()
    const listener = { onEvent: reload, onGap: reload }
    const unfollows = ids === '' ? [] : ids.split(' ').map((id) => following.follow(`zone:${id}`, listener))
    return () => {
      for (const unfollow of unfollows) unfollow()
    }
  }, [following, zones, ids])
  return (
    <Screen title={say('zones.title')} back="/alerts" narrow>
      <p class="lead">{say('zones.lead')}</p>
      <Show of={zones}>
        {(found) => (
          <>
            {found.length === 0 && <p>{say('zones.none')}</p>}
            <AllOnMap zones={found} />
            {found.map((zone) => (
              <ZoneOf key={zone.id} zone={zone} zones={found} onChanged={zones.reload} />
            ))}
            {isOwner(app) && (
              <Section title={say('zones.new')}>
                <ZoneForm zone={null} shown={found.map(outlined)} onDone={zones.reload} />
              </Section>
            )}
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

interface ZoneOfProps {
  zone: Told
  zones: readonly Told[]
  onChanged: () => Promise<void>
}

function ZoneOf({ zone, zones, onChanged }: ZoneOfProps): JSX.Element {
  const app = useApp()
  const isEdited = useSignal(false)
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
        <div class="alert-further">
          <button
            type="button"
            class="button compact"
            aria-expanded={isEdited.value}
            onClick={() => {
              isEdited.value = !isEdited.value
            }}
          >
            {say(isEdited.value ? 'zones.stopChanging' : 'zones.change')}
          </button>
          {!isEdited.value && (
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
        </div>
      )}
      {isEdited.value && (
        <ZoneForm
          zone={zone}
          shown={zones.filter(({ id }) => id !== zone.id).map(outlined)}
          onDone={async () => {
            isEdited.value = false
            await onChanged()
          }}
        />
      )}
    </Section>
  )
}

function cornersOf(zones: readonly Zone[]): Corner[] {
  return zones.flatMap(({ outlines }) => outlines.flat())
}

function outlined({ id, name, outlines, status }: Told) {
  return { id, name, outlines, isDistressed: status.status === 'distress' }
}
