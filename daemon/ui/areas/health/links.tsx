/** The ways from a person into what is known of their days. */
import type { JSX } from 'preact'
import { useWords } from '../../app.ts'
import { Link } from '../../parts/link.tsx'
import { addressOf, SCREENS, screenWords } from './screens.ts'

export function HealthLinks({ personId }: { personId: string }): JSX.Element {
  const say = useWords(screenWords)
  return (
    <nav class="picker" aria-label={say('links.label')}>
      {SCREENS.map((screen) => (
        <Link key={screen} class="chip" to={addressOf(personId, screen)}>
          {say(`screen.${screen}`)}
        </Link>
      ))}
    </nav>
  )
}
