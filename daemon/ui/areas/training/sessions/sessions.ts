/** What the screens of sessions share: their words, the names of people, and answers that are fetched while somebody looks. */
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import type { TranslateOf } from '../../../i18n/translate.ts'
import { createResource, type Resource } from '../../../state/resource.ts'
import type { LiveMetrics } from './answers.ts'
import { words } from './words.ts'

export type SessionWords = TranslateOf<typeof words>

export function useSessionWords(): SessionWords {
  return useWords(words)
}

/** Fetches a path once, and again when it becomes another. */
export function useAnswer<Value>(path: string): Resource<Value> {
  const { api } = useApp()
  const answer = useMemo(() => createResource(() => api.get<Value>(path)), [api, path])
  useEffect(() => void answer.reload(), [answer])
  return answer
}

/** The name of a person by id; people that one may not see have none. */
export function useNames(): (personId: string) => string {
  const { household } = useApp()
  const people = household.people.state.value.value ?? []
  return (personId) => people.find(({ id }) => id === personId)?.name ?? '?'
}

export function sessionPath(id: string): string {
  return `/sessions/${encodeURIComponent(id)}`
}

/** What was told of one player, beside what is known of the others. */
export function withPlayers(before: LiveMetrics | null, told: LiveMetrics): LiveMetrics {
  if (before === null) return told
  const others = before.players.filter(({ player_id: id }) =>
    told.players.every((player) => player.player_id !== id),
  )
  const order = before.players.map(({ player_id: id }) => id)
  const players = [...others, ...told.players].sort(
    (a, b) => order.indexOf(a.player_id) - order.indexOf(b.player_id),
  )
  return { ...told, players, tracks: before.tracks }
}

const KMH_PER_MPS = 3.6

/** km/h, as people speak of running, with one decimal. */
export function kmh(mps: number): number {
  return Math.round(mps * KMH_PER_MPS * 10) / 10
}

/** `12:05`, or `1:02:05` from an hour on. */
export function clockOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
