/** Looks at every zone once a minute: whether the people there leave their own pattern together. */
import { criticalScore, scanScore, trailingP } from '../../../models/series/community-scan.ts'
import { isInside } from '../../domain/place.ts'
import { DAY_MS, isApart, LEAST_PEOPLE, recounted } from './anonymity.ts'
import type { Register, Zone } from './register.ts'

export const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** An older place says nothing about where somebody is. */
const PLACE_OLD_MS = 12 * HOUR_MS
/** Hours in a month of thirty days: with so rare an hour there is at most one false alarm a month in each zone. */
export const FALSE_ALARM_HOURS = 720

export type ZoneState = 'hidden' | 'calm' | 'distress'

export interface ZoneStatus {
  state: ZoneState
  /** Never the number itself: a band of it. */
  people: string | null
  sinceMs: number | null
}

export interface CommunityDeps {
  register: Register
  now: () => number
  personIds: () => readonly string[]
  /** How rare the person's last judged minute was among ordinary hours; null where nothing was judged. */
  rarityOf: (personId: string) => { atMs: number; p: number } | null
  placeOf: (personId: string) => Promise<{ atMs: number; lat: number; lon: number } | null>
  onChanged: (zoneId: string, status: ZoneStatus) => void
}

export interface Community {
  look(): Promise<void>
  status(zoneId: string): ZoneStatus
}

const HIDDEN: ZoneStatus = { state: 'hidden', people: null, sinceMs: null }

export function createCommunity(deps: CommunityDeps): Community {
  const { register, now, personIds, rarityOf, placeOf, onChanged } = deps
  /** The judged minutes of the last hour of everybody, the oldest first. */
  const minutes = new Map<string, { atMs: number; p: number }[]>()
  const statuses = new Map<string, ZoneStatus>()
  const criticals = new Map<number, number>()

  /** Everybody, so that whoever comes to a zone brings the hour before along. */
  function gather(nowMs: number): void {
    const people = personIds()
    for (const known of minutes.keys()) if (!people.includes(known)) minutes.delete(known)
    for (const personId of people) {
      const kept = (minutes.get(personId) ?? []).filter(({ atMs }) => nowMs - atMs < HOUR_MS)
      const last = rarityOf(personId)
      const isNew = last !== null && last.atMs > (kept.at(-1)?.atMs ?? 0) && nowMs - last.atMs < HOUR_MS
      minutes.set(personId, isNew ? [...kept, last] : kept)
    }
  }

  async function belonging(zone: Zone, nowMs: number): Promise<string[]> {
    const found = new Set(zone.members)
    for (const personId of zone.isByPosition ? personIds() : []) {
      const place = found.has(personId) ? null : await placeOf(personId)
      if (place && nowMs - place.atMs < PLACE_OLD_MS && isInside(zone.shape, place.lat, place.lon))
        found.add(personId)
    }
    return [...found].toSorted()
  }

  function critical(people: number): number {
    const known = criticals.get(people)
    if (known !== undefined) return known
    const found = criticalScore(people, 1 / FALSE_ALARM_HOURS)
    criticals.set(people, found)
    return found
  }

  function judge(zone: Zone, others: readonly Zone[], nowMs: number): ZoneStatus {
    const hours = zone.counted.map((personId) => minutes.get(personId) ?? [])
    const judged = hours.filter((hour) => hour.length > 0).length
    if (judged < LEAST_PEOPLE || !isApart(zone, others)) return HIDDEN
    // Who is silent counts as usual: that makes alarms rarer, never more frequent.
    const score = scanScore(
      hours.map((hour) => trailingP(hour.reduce((least, { p }) => Math.min(least, p), 1))),
    )
    const state = score >= critical(hours.length) ? 'distress' : 'calm'
    const before = statuses.get(zone.id)
    return { state, people: bandOf(hours.length), sinceMs: before?.state === state ? before.sinceMs : nowMs }
  }

  return {
    async look() {
      const nowMs = now()
      gather(nowMs)
      for (const zone of register.all()) {
        const next = recounted(zone, await belonging(zone, nowMs), nowMs)
        if (next) await register.count(zone.id, next)
      }
      const remembered = register.remembered()
      if (remembered.some(({ removedAtMs }) => removedAtMs !== null && nowMs - removedAtMs > DAY_MS))
        await register.forget(nowMs - DAY_MS)
      const zones = remembered.filter(({ removedAtMs }) => removedAtMs === null)
      for (const id of statuses.keys()) if (!zones.some((zone) => zone.id === id)) statuses.delete(id)
      for (const zone of zones) {
        const status = judge(zone, remembered, nowMs)
        const before = statuses.get(zone.id) ?? HIDDEN
        statuses.set(zone.id, status)
        if (before.state !== status.state || before.people !== status.people) onChanged(zone.id, status)
      }
    },
    status: (zoneId) => statuses.get(zoneId) ?? HIDDEN,
  }
}

const BANDS = [50, 20, 10, LEAST_PEOPLE] as const

function bandOf(people: number): string {
  const at = BANDS.findIndex((band) => people >= band)
  const above = BANDS[at - 1]
  return above === undefined ? `${BANDS[0]} or more` : `${BANDS[at]} to ${above - 1}`
}
