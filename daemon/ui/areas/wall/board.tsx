/** The wall tablet by its own key: first names, how they are, and an alert that takes the screen, sounds and is spoken. */
import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { Icon } from '../../parts/icon.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { useSiren } from '../alerts/alarm.tsx'
import { useLostLong } from '../alerts/lost.ts'
import type { Siren } from '../alerts/siren.ts'
import { Touch, useWakeLock } from './awake.tsx'
import { isNight, PEOPLE_MOST } from './night.ts'
import { type Board, startWatch, type WallAlert, type Watch } from './watch.ts'
import { words } from './words.ts'

/** An urgent alert sounds again until somebody answers it elsewhere, and is spoken again less often. */
const AGAIN_MS = 5_000
const SPOKEN_EVERY = 4
const MARKS = { calm: 'ok', looked_after: 'watch', warning: 'alert', urgent: 'urgent' } as const

export function OwnBoard({ wallKey, onRevoked }: { wallKey: string; onRevoked: () => void }): JSX.Element {
  const { hubName, clock, format, zone } = useApp()
  const say = useWords(words)
  const siren = useSiren()
  useWakeLock()
  const watch = useMemo(
    () =>
      startWatch({
        ...{ key: wallKey, nowMs: Date.now },
        fetch: (...request) => fetch(...request),
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        timeout: (ms) => AbortSignal.timeout(ms),
        onRing(alert) {
          if (alert.kind !== 'tip') siren.sound(alert.kind)
          speak(say(`wall.spoken.${alert.kind}`, { name: alert.name }))
        },
      }),
    [wallKey],
  )
  useEffect(() => watch.stop, [watch])
  useRingOn(watch, siren)
  const { board, lostSinceMs, isRevoked } = watch.state.value
  const alert = firstOf(board)
  const time = useComputed(() => format.time(clock.tick.value, zone))
  const night = useComputed(() => isNight(time.value)).value
  useEffect(() => {
    document.title = `${say('wall.title')} · ${hubName.value}`
  }, [hubName.value])
  useEffect(() => {
    if (isRevoked) onRevoked()
  }, [isRevoked])
  return (
    <main id="main" class={night && !alert && lostSinceMs === null ? 'wall wall-night' : 'wall'}>
      <header class="wall-head">
        <h1>{hubName}</h1>
        <time class="wall-clock">{time}</time>
      </header>
      <Touch />
      {lostSinceMs !== null && <Gone sinceMs={lostSinceMs} siren={siren} />}
      {alert ? <OwnTakeover alert={alert} /> : <Tiles board={board} />}
    </main>
  )
}

/** Urgent ones first; the hub has them newest first. */
function firstOf(board: Board | null): WallAlert | undefined {
  const open = board?.alerts.filter(({ state }) => state === 'open') ?? []
  return open.find(({ kind }) => kind === 'urgent') ?? open[0]
}

function useRingOn({ state }: Watch, siren: Siren): void {
  const say = useWords(words)
  const urgent = useComputed(() => {
    const first = firstOf(state.value.board)
    return first?.kind === 'urgent' ? first.name : null
  }).value
  useEffect(() => {
    if (urgent === null) return
    let times = 0
    const timer = setInterval(() => {
      siren.sound('urgent')
      times += 1
      if (times % SPOKEN_EVERY === 0) speak(say('wall.spoken.urgent', { name: urgent }))
    }, AGAIN_MS)
    return () => clearInterval(timer)
  }, [urgent])
}

/** Only with a voice that is in the tablet: others would carry the name out of the house. */
function speak(text: string): void {
  if (!('speechSynthesis' in window)) return
  const voice = speechSynthesis
    .getVoices()
    .find(({ localService, lang }) => localService && lang.startsWith('en'))
  if (!voice) return
  const said = new SpeechSynthesisUtterance(text)
  said.voice = voice
  speechSynthesis.speak(said)
}

function Tiles({ board }: { board: Board | null }): JSX.Element {
  const say = useWords(words)
  if (board === null) return <p class="wall-origin">{say('wall.asking')}</p>
  if (board.people.length === 0) return <p class="wall-origin">{say('wall.nobody')}</p>
  return (
    <ul class="wall-tiles">
      {board.people.slice(0, PEOPLE_MOST).map(({ name, state }) => (
        <li key={name} class="wall-tile" data-state={state}>
          <h2>{name}</h2>
          <p class="wall-what">
            <StateMark state={MARKS[state]} word={say(`wall.state.${state}`)} />
          </p>
        </li>
      ))}
    </ul>
  )
}

function OwnTakeover({ alert }: { alert: WallAlert }): JSX.Element {
  const { format, zone } = useApp()
  const say = useWords(words)
  return (
    <section class={`wall-takeover alarm-${alert.kind}`} role="alert">
      <Icon name="warning" size={96} />
      <h2>{alert.name}</h2>
      <p class="wall-what">{say(alert.kind === 'urgent' ? 'wall.state.urgent' : 'wall.state.warning')}</p>
      <p>{say('wall.since', { when: format.time(Date.parse(alert.since), zone) })}</p>
      <p>{say('wall.answer')}</p>
    </section>
  )
}

/** Sounds once when the hub has been gone for a minute, and stays until it is back. */
function Gone({ sinceMs, siren }: { sinceMs: number; siren: Siren }): JSX.Element | null {
  const { format, zone } = useApp()
  const say = useWords(words)
  const isLong = useLostLong(sinceMs, siren)
  if (!isLong) return null
  return (
    <section class="wall-takeover alarm-lost" role="alert">
      <Icon name="offline" size={96} />
      <p class="wall-what">{say('wall.lost')}</p>
      <p>{say('wall.since', { when: format.time(sinceMs, zone) })}</p>
    </section>
  )
}
