/** What the day held, one under the other: where a finger points, or all of it; each leads to the page that knows more. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Icon } from '../../../parts/icon.tsx'
import { Link } from '../../../parts/link.tsx'
import { Section } from '../../../parts/screen.tsx'
import { useHealth, useSay } from '../health.ts'
import { MealPhoto } from '../meals/meal-photo.tsx'
import type { Thing } from './lanes.ts'

export interface ThingsProps {
  found: { things: readonly Thing[]; isAll: boolean }
  /** Back to all of the day. */
  onAll: () => void
  onChanged: () => void
}

export function Things({ found, onAll, onChanged }: ThingsProps): JSX.Element | null {
  const say = useSay()
  if (found.things.length === 0) return null
  return (
    <Section
      title={say(found.isAll ? 'things.all' : 'things.then')}
      action={
        found.isAll ? undefined : (
          <button type="button" class="button compact" onClick={onAll}>
            {say('things.showAll')}
          </button>
        )
      }
    >
      <ul class="rows">
        {found.things.map((thing) => (
          <li key={`${thing.kind}${thing.fromMs}${thing.text}`}>
            <ThingRow thing={thing} onChanged={onChanged} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

function ThingRow({ thing, onChanged }: { thing: Thing; onChanged: () => void }): JSX.Element {
  const { format } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const { kind, fromMs, toMs, text, detail, to, meal } = thing
  const zone = person.timezone
  const time =
    toMs > fromMs ? `${format.time(fromMs, zone)}–${format.time(toMs, zone)}` : format.time(fromMs, zone)
  const told = (
    <span class="row-text">
      <span class="row-title">
        {say(`thing.${kind}`)} · {text}
      </span>
      <span class="row-more">{[time, detail].filter((part) => part !== '').join(' · ')}</span>
    </span>
  )
  if (to !== undefined)
    return (
      <Link to={to} class="row">
        {told}
        <Icon name="next" size={20} />
      </Link>
    )
  return (
    <div class="row">
      {told}
      {meal && <MealPhoto meal={meal} name={`${text} ${time}`} onChanged={onChanged} />}
    </div>
  )
}
