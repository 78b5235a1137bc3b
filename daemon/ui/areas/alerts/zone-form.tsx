/** Who belongs to a zone and where it lies: a new one, or one that is changed. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { Form, useAction } from '../../parts/action.tsx'
import { Checks, Field } from '../../parts/fields.tsx'
import type { Zone } from './answers.ts'
import { type Corner, cellsIn, cornersIn, cornersText, extentOf } from './ground.ts'
import { words } from './words.ts'
import { type Outlined, ZoneMap } from './zone-map.tsx'

const START_METRES = 2000

export interface ZoneFormProps {
  /** Null: a new one. */
  zone: Zone | null
  /** The other zones, drawn beside it. */
  shown: readonly Outlined[]
  onDone: () => Promise<void>
}

export function ZoneForm({ zone, shown, onDone }: ZoneFormProps): JSX.Element {
  const { api, household } = useApp()
  const say = useWords(words)
  const action = useAction()
  const name = useSignal(zone?.name ?? '')
  const corners = useSignal(cornersText(zone?.polygon ?? []))
  const cells = useSignal((zone?.cells ?? []).join(' '))
  const members = useSignal<readonly string[]>(zone?.members ?? [])
  const drawn = cornersIn(corners.value)
  const typed = cellsIn(cells.value)
  const isPolygon = drawn !== null && drawn.length >= 3
  const isCells = typed !== null && typed.length > 0
  const isWrong = (corners.value.trim() !== '' && !isPolygon) || typed === null || (isPolygon && isCells)
  const isPlaced = isPolygon || isCells
  const people = household.people.state.value.value ?? []
  return (
    <Form
      action={action}
      submit={say(zone === null ? 'zones.make' : 'zones.keep')}
      disabled={name.value.trim() === '' || isWrong || (!isPlaced && members.value.length === 0)}
      onSubmit={async () => {
        const body = {
          ...{ name: name.peek().trim(), members: members.peek(), by_position: isPlaced },
          ...(isPolygon ? { polygon: drawn } : isCells && { cells: typed }),
        }
        if (zone === null) await api.post('/community/zones', body)
        else await api.patch(`/community/zones/${encodeURIComponent(zone.id)}`, body)
        if (zone === null) {
          for (const field of [name, corners, cells]) field.value = ''
          members.value = []
        }
        await onDone()
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
      <Drawing shown={shown} corners={corners} parsed={drawn} />
      <Field
        label={say('zones.cells')}
        value={cells}
        hint={say('zones.cellsHint')}
        error={
          typed === null ? say('zones.cellsWrong') : isPolygon && isCells ? say('zones.notBoth') : undefined
        }
      />
    </Form>
  )
}

interface DrawingProps {
  shown: readonly Outlined[]
  corners: Signal<string>
  /** Null where what is typed cannot be read. */
  parsed: Corner[] | null
}

/** Taps and typed corners are the same list: whoever cannot tap types. */
function Drawing({ shown, corners, parsed }: DrawingProps): JSX.Element {
  const say = useWords(words)
  const middle = useSignal('')
  const typed = cornersIn(middle.value)?.[0]
  const known = extentOf([...shown.flatMap(({ outlines }) => outlines.flat()), ...(parsed ?? [])])
  const extent = typed ? { middle: typed, metres: START_METRES } : known
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
          zones={shown}
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
