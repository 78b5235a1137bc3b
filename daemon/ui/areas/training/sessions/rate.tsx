/** How hard a session was, told for one player after the other. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Select } from '../../../parts/fields.tsx'
import { useNames, useSessionWords } from './sessions.ts'

const RATINGS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'] as const

export interface RateProps {
  /** Of the session, below `/api/v1`. */
  path: string
  playerIds: readonly string[]
  onDone: () => void
}

export function Rate({ path, playerIds, onDone }: RateProps): JSX.Element {
  const { api, said } = useApp()
  const w = useSessionWords()
  const nameOf = useNames()
  const player = useSignal(playerIds[0] ?? '')
  const rpe = useSignal<(typeof RATINGS)[number]>('5')
  const action = useAction()
  if (playerIds.length === 0) return <p class="small">{w('rate.none')}</p>
  return (
    <Form
      action={action}
      submit={w('rate.save')}
      explain={({ code }) => (code === 'FORBIDDEN' ? w('rate.notYours') : undefined)}
      onSubmit={async () => {
        await api.post(`${path}/rpe`, { player_id: player.value, rpe: Number(rpe.value) })
        said.value = w('rate.saved', { name: nameOf(player.value), rpe: rpe.value })
        onDone()
      }}
    >
      {playerIds.length > 1 && (
        <Select
          label={w('rate.player')}
          value={player}
          options={playerIds.map((id) => ({ value: id, label: nameOf(id) }))}
        />
      )}
      <Select
        label={playerIds.length > 1 ? w('rate.rpe') : `${nameOf(player.value)}: ${w('rate.rpe')}`}
        value={rpe}
        options={RATINGS.map((value) => ({ value, label: w(`rate.${value}`) }))}
        hint={w('rate.text')}
      />
    </Form>
  )
}
