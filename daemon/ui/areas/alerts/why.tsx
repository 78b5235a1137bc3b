/** Why an episode was opened: the rule or the model, its threshold, and the values that spoke for it. */
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { createResource, type Resource } from '../../state/resource.ts'
import type { Analysis, EpisodeDetail, Rule } from './answers.ts'
import { conditionText } from './conditions.ts'
import { words } from './words.ts'

const VALUES_MOST = 12

export function Why({ episode }: { episode: EpisodeDetail }): JSX.Element {
  const { api, t } = useApp()
  const say = useWords(words)
  const sheet = useRef<HTMLDialogElement>(null)
  const analysis = useMemo(
    () => createResource(() => api.post<Analysis>(`/episodes/${encodeURIComponent(episode.id)}/analyze`)),
    [api, episode.id],
  )
  const open = () => {
    sheet.current?.showModal()
    void analysis.reload()
  }
  return (
    <>
      <button type="button" class="button" onClick={open}>
        {say('why.title')}
      </button>
      <dialog ref={sheet} class="dialog why" aria-label={say('why.title')}>
        <h2>{say('why.title')}</h2>
        <InWords analysis={analysis} />
        <p>{say(`why.${episode.origin}`)}</p>
        {episode.origin === 'rule' && episode.origin_id !== null && <RuleOf id={episode.origin_id} />}
        {episode.origin === 'detector' ? <ModelOf episode={episode} /> : <Facts episode={episode} />}
        <Values episode={episode} />
        {analysis.state.value.error && <p class="small">{say('why.notMedical')}</p>}
        <button type="button" class="button" onClick={() => sheet.current?.close()}>
          {t('action.dismiss')}
        </button>
      </dialog>
    </>
  )
}

/** What the hub makes of its own records; without it the facts below stand for themselves. */
function InWords({ analysis }: { analysis: Resource<Analysis> }): JSX.Element | null {
  const say = useWords(words)
  const { value, error } = analysis.state.value
  if (error) return null
  if (value === null) return <p class="small">{say('why.looking')}</p>
  return (
    <div class="why-words">
      <p>{value.text}</p>
      <p>
        <strong>{value.recommendation}</strong>
      </p>
      <p class="small">{value.note}</p>
    </div>
  )
}

/** The rule as it is now; what it said then stands in the episode's own facts. */
function RuleOf({ id }: { id: string }): JSX.Element {
  const { api, format } = useApp()
  const say = useWords(words)
  const rule = useMemo(
    () => createResource(() => api.get<Rule>(`/rules/${encodeURIComponent(id)}`)),
    [api, id],
  )
  useEffect(() => void rule.reload(), [rule])
  const { value, error } = rule.state.value
  if (error) return <p>{say('why.ruleGone')}</p>
  if (value === null) return <p>…</p>
  return (
    <p>
      <strong>{value.name}</strong>: {conditionText(value.condition, format, say)}
    </p>
  )
}

/** Which model it was and what it makes of its own word. */
function ModelOf({ episode: { metadata } }: { episode: EpisodeDetail }): JSX.Element {
  const say = useWords(words)
  const { model, version, confidence, one_in_hours: hours } = metadata
  const facts: [string, string][] = [[say('why.model'), `${String(model)} ${String(version)}`]]
  if (typeof confidence === 'number')
    facts.push([say('why.confidence'), `${Math.round(confidence * 1000) / 10} %`])
  if (typeof hours === 'number') facts.push([say('why.rare'), say('why.rareText', { hours })])
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Which version of the rule or model it was, and what else its source wrote down in plain values. */
function Facts({ episode }: { episode: EpisodeDetail }): JSX.Element | null {
  const facts = Object.entries(episode.metadata).filter(
    ([, value]) => typeof value === 'string' || typeof value === 'number',
  )
  if (facts.length === 0) return null
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>{String(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Values({ episode }: { episode: EpisodeDetail }): JSX.Element | null {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  const rows = episode.timeline.flatMap(({ number, ts, evidence }) =>
    evidence.map((one, index) => ({ ...one, key: `${number} ${index}`, heard: ts })),
  )
  if (rows.length === 0) return null
  return (
    <table class="table">
      <caption>{say('why.values')}</caption>
      <thead>
        <tr>
          <th scope="col">{say('why.when')}</th>
          <th scope="col">{say('why.seen')}</th>
          <th scope="col">{say(episode.origin === 'detector' ? 'why.usual' : 'why.expected')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.slice(-VALUES_MOST).map(({ key, metric = '', value, expected, note, ts, heard }) => (
          <tr key={key}>
            <th scope="row">{format.moment(Date.parse(String(ts ?? heard)), zone, clock.nowMs())}</th>
            <td>
              {value === undefined || value === null
                ? (note ?? '–')
                : `${format.metric(metric)} ${format.value(metric, value)} ${format.unit(metric)}`}
            </td>
            <td>{typeof expected === 'number' ? format.value(metric, expected) : '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
