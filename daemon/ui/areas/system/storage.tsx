/** Room on the disk, what the hub writes and how long a card bears it, and the copies of the database. */
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { sizeText } from '../../i18n/size.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText } from '../../parts/feedback.tsx'
import { Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { untilDone } from '../privacy/job.ts'
import type { Drilled, Snapshot, Storage as StorageState } from './answers.ts'
import { Facts } from './facts.tsx'
import { words } from './words.ts'

/** Beyond this a number of days would only pretend to be exact. */
const DAYS_MOST = 1100

export function Storage({ storage }: { storage: StorageState }): JSX.Element {
  const { locale } = useApp()
  const say = useWords(words)
  const { free_bytes: free, total_bytes: total, disk_encrypted: encrypted } = storage
  return (
    <Section title={say('storage.title')}>
      <meter aria-label={say('storage.meter')} min={0} max={total} high={total * 0.9} value={total - free} />
      <Facts
        of={[
          [
            say('storage.free'),
            say('storage.freeOf', { free: sizeText(free, locale), total: sizeText(total, locale) }),
          ],
          [say('storage.days'), <Days key="days" left={storage.days_left} />],
          [say('storage.database'), sizeText(storage.database_bytes, locale)],
          [
            say('wear.day'),
            storage.written_a_day_bytes === null
              ? say('wear.dayUnknown')
              : sizeText(storage.written_a_day_bytes, locale),
          ],
          [say('wear.card'), <Years key="years" years={storage.card_years} />],
          [
            say('wear.used'),
            storage.card_used_share === null
              ? say('wear.unknown')
              : say('wear.usedShare', { percent: Math.round(storage.card_used_share * 100) }),
          ],
          [say('crypt.name'), <Encrypted key="crypt" encrypted={encrypted} />],
        ]}
      />
      <p class="small">{say('wear.note')}</p>
      {encrypted === false && <p class="small">{say('crypt.text')}</p>}
    </Section>
  )
}

function Days({ left }: { left: number | null }): JSX.Element {
  const say = useWords(words)
  if (left === null) return <>{say('storage.noRate')}</>
  return <>{left > DAYS_MOST ? say('storage.years') : say('storage.daysLeft', { count: left })}</>
}

function Years({ years }: { years: number | null }): JSX.Element {
  const say = useWords(words)
  if (years === null) return <>{say('wear.dayUnknown')}</>
  return <>{years >= 100 ? say('wear.hundred') : say('wear.years', { count: Math.round(years) })}</>
}

function Encrypted({ encrypted }: { encrypted: boolean | null }): JSX.Element {
  const say = useWords(words)
  if (encrypted === null) return <StateMark state="none" word={say('crypt.unknown')} />
  return <StateMark state={encrypted ? 'ok' : 'watch'} word={say(encrypted ? 'crypt.yes' : 'crypt.no')} />
}

export function Copies({
  storage,
  onMade,
}: {
  storage: StorageState
  onMade: () => Promise<void>
}): JSX.Element {
  const { t, api, format, zone, locale, said } = useApp()
  const say = useWords(words)
  const action = useAction()
  const { newest_at: newest, bytes, problem } = storage.snapshots
  const drilled = storage.restore_drill
  const make = async () => {
    const made = await api.post<Snapshot>('/system/snapshots')
    if (made.problem === null) said.value = say('copies.done')
    await onMade()
  }
  const tryOut = async () => {
    const { job_id: jobId } = await api.post<{ job_id: string }>('/tasks/restore-drill')
    await untilDone(api, jobId, () => undefined)
    await onMade()
  }
  return (
    <Section title={say('copies.title')}>
      <p class="small">{say('copies.text')}</p>
      <Facts
        of={[
          [
            say('copies.newest'),
            newest === null ? say('copies.none') : format.moment(Date.parse(newest), zone),
          ],
          ...(newest === null ? [] : ([[say('copies.size'), sizeText(bytes, locale)]] as const)),
          [say('drill.name'), <TriedOut key="drill" drilled={drilled} />],
          ...(drilled === null || drilled.problem !== null
            ? []
            : ([[say('drill.back'), <Held key="held" drilled={drilled} />]] as const)),
        ]}
      />
      {problem !== null && <ErrorLine>{say('copies.problem', { problem })}</ErrorLine>}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      {drilled !== null && drilled.problem !== null && (
        <ErrorLine>
          {say('drill.problem', {
            when: format.date(Date.parse(drilled.at), zone),
            problem: drilled.problem,
          })}
        </ErrorLine>
      )}
      <div class="buttons">
        <button
          type="button"
          class="button"
          disabled={action.busy.value}
          onClick={() => void action.run(make)}
        >
          {action.busy.value ? t('state.working') : say('copies.now')}
        </button>
        {newest !== null && (
          <button
            type="button"
            class="button"
            disabled={action.busy.value}
            onClick={() => void action.run(tryOut)}
          >
            {say('drill.now')}
          </button>
        )}
      </div>
    </Section>
  )
}

/** Whether the newest copy came back when it was restored beside the hub. */
function TriedOut({ drilled }: { drilled: Drilled | null }): JSX.Element {
  const { format, zone } = useApp()
  const say = useWords(words)
  if (drilled === null) return <>{say('drill.never')}</>
  const when = format.date(Date.parse(drilled.at), zone)
  if (drilled.problem !== null) return <StateMark state="alert" word={when} />
  return <StateMark state="ok" word={say('drill.fine', { when })} />
}

function Held({ drilled: { persons, values } }: { drilled: Drilled }): JSX.Element {
  const { locale } = useApp()
  const say = useWords(words)
  return <>{say('drill.held', { count: persons ?? 0, values: (values ?? 0).toLocaleString(locale) })}</>
}
