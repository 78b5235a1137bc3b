/** One alert by its own address. */
import type { JSX } from 'preact'
import { useWords } from '../../app.ts'
import { Screen } from '../../parts/screen.tsx'
import { AlertCard } from './card.tsx'
import { words } from './words.ts'

export function AlertPage({ id }: { id: string }): JSX.Element {
  const say = useWords(words)
  return (
    <Screen title={say('alerts.title')} back="/alerts" narrow>
      <AlertCard id={id} whole />
    </Screen>
  )
}
