/** How far the cloud is: what waits, what was sent, what never will be, who was forgotten where. */
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { Section } from '../../parts/screen.tsx'
import type { CloudStanding, LaneStanding } from './answers.ts'
import { words } from './words.ts'

interface FoundProps {
  found: CloudStanding
}

const KILOBYTE = 1000

export function Progress({ found }: FoundProps): JSX.Element {
  const { format, zone, locale } = useApp()
  const say = useWords(words)
  const when = (at: string | null) =>
    at === null ? say('never') : format.moment(Date.parse(at), zone, Date.now())
  const count = (value: number, digits = 0) => value.toLocaleString(locale, { maximumFractionDigits: digits })
  const size = (bytes: number) =>
    bytes < KILOBYTE ** 2
      ? `${count(Math.ceil(bytes / KILOBYTE))} kB`
      : `${count(bytes / KILOBYTE ** 2, 1)} MB`
  const sent = size(found.bytes_today)
  const limit = found.bytes_a_day_limit
  return (
    <Section title={say('lanes.title')}>
      <ul class="rows">
        {found.lanes.map((lane) => (
          <li key={lane.lane} class="row">
            <span class="row-text">
              <span class="row-title">{say(`lane.${lane.lane}`)}</span>
              <span class="row-more">
                {say('lanes.waiting')}: {count(lane.waiting)} · {say('lanes.sent')}: {when(lane.pushed_at)}
              </span>
              {lane.rows > 0 && (
                <span class="row-more">
                  {say('lanes.sofar', { rows: count(lane.rows), size: size(lane.bytes) })}
                </span>
              )}
              {lane.problem !== null && <Problem lane={lane} hours={found.bulk_hours} />}
            </span>
          </li>
        ))}
      </ul>
      <dl class="facts cloud-apart">
        <div>
          <dt>{say('bytes.today')}</dt>
          <dd>{limit === null ? sent : say('bytes.of', { sent, limit: size(limit) })}</dd>
        </div>
        <div>
          <dt>{say('read.last')}</dt>
          <dd>{when(found.pulled_at)}</dd>
        </div>
        <div>
          <dt>{say('conflicts')}</dt>
          <dd>{count(found.conflicts)}</dd>
        </div>
      </dl>
    </Section>
  )
}

function Problem({ lane, hours }: { lane: LaneStanding; hours: string | null }): JSX.Element {
  const say = useWords(words)
  if (lane.problem === 'bytes') return <span class="row-more">{say('lane.held.bytes')}</span>
  if (lane.problem === 'hours')
    return <span class="row-more">{say('lane.held.hours', { hours: hours ?? '' })}</span>
  if (lane.problem === 'schema') return <span class="row-more">{say('lane.old')}</span>
  const seconds = lane.next_try_in_seconds
  return (
    <span class="row-more">
      {say('lane.problem')} {seconds !== null && say('lane.next', { seconds })}
    </span>
  )
}

export function Troubles({ found }: FoundProps): JSX.Element {
  const { format, zone } = useApp()
  const say = useWords(words)
  return (
    <>
      {found.gaps.length > 0 && (
        <Section title={say('gaps.title')}>
          <ul class="rows">
            {found.gaps.map((gap) => (
              <li key={`${gap.series} ${gap.from}`} class="row">
                {say('gaps.text', {
                  from: format.moment(Date.parse(gap.from), zone),
                  to: format.moment(Date.parse(gap.to), zone),
                  why: gap.why,
                })}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {found.set_aside.length > 0 && (
        <Section title={say('aside.title')}>
          <ul class="rows">
            {found.set_aside.map((one) => (
              <li key={`${one.at} ${one.kind} ${one.reason}`} class="row">
                {one.kind}: {one.reason}
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  )
}

export function Erasures({ found }: FoundProps): JSX.Element | null {
  const { format, zone } = useApp()
  const say = useWords(words)
  if (found.erasures.length === 0) return null
  return (
    <Section title={say('erased.title')}>
      <ul class="rows">
        {found.erasures.map((one) => (
          <li key={one.person_id} class="row">
            <span class="row-text">
              <span class="row-title">
                {say(`erased.by.${one.requested_by}`, {
                  when: format.moment(Date.parse(one.requested_at), zone),
                })}
              </span>
              <span class="row-more">
                {say(one.hub_purged_at === null ? 'erased.hubWaits' : 'erased.hub')} ·{' '}
                {say(one.cloud_purged_at === null ? 'erased.cloudWaits' : 'erased.cloud')}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** What the cloud asked this hub to do: nothing happens here unseen. */
export function Asked({ found }: FoundProps): JSX.Element | null {
  const { format, zone, household } = useApp()
  const say = useWords(words)
  if (found.jobs.length === 0) return null
  const people = household.people.state.value.value ?? []
  const nameOf = (id: string | null) => people.find((person) => person.id === id)?.name
  return (
    <Section title={say('jobs.title')}>
      <ul class="rows">
        {found.jobs.map((job) => {
          const name = nameOf(job.person_id)
          return (
            <li key={`${job.taken_at} ${job.kind}`} class="row">
              <span class="row-text">
                <span class="row-title">
                  {say(jobName(job.kind))}
                  {name && `: ${name}`}
                </span>
                <span class="row-more">
                  {say(`jobs.${job.state}`)} · {format.moment(Date.parse(job.ended_at ?? job.taken_at), zone)}
                </span>
              </span>
            </li>
          )
        })}
      </ul>
    </Section>
  )
}

function jobName(kind: string) {
  if (kind === 'recompute_daily') return 'job.recompute_daily'
  if (kind === 'calibrate') return 'job.calibrate'
  return kind === 'send_again' ? 'job.send_again' : 'job.forecast'
}
