import { readSamples } from '../../../firmware-bridge/hf/observations.ts'
import { type Actor, can, maySee } from '../../domain/access.ts'
import { type Intake, type IntakeContext, takeIn } from '../../domain/intake.ts'
import { metricNamed } from '../../domain/metric.ts'
import type { Observation, Outcome } from '../../domain/observation.ts'
import { type ErrorCode, HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { createWearers } from './wearers.ts'

/** Why one item of an upload was not kept; `index` is its place in what was sent. */
export interface RejectedItem {
  index: number
  code: ErrorCode
  message: string
  /** Field below the item, where one is to blame. */
  path: string
}

/** What became of an upload, counted by item. */
export interface BulkResult {
  accepted: number
  duplicates: number
  rejected: RejectedItem[]
}

/** Who sends, about whom, and by which way. */
export interface Upload {
  actor: Actor
  /** Whose samples these are unless a sample names somebody else; null: a device's wearer at the time of each sample. */
  personId: string | null
  /** The device that measured, when the sender names one; a device itself always speaks for itself. */
  deviceId: string | null
  source: string
  /** Land all or nothing: for a route that takes one thing. */
  whole: boolean
}

export interface HttpIntake {
  /** Resolves once everything kept is on disk. */
  take(samples: readonly unknown[], upload: Upload): Promise<BulkResult>
}

export interface HttpIntakeDeps {
  store: Pick<Store, 'all' | 'get' | 'observations'>
  now: () => number
  /** What no instant may lie beyond; absent: the clock. */
  latestMs?: () => number
  /** The hub's own entry (type `hub`) that stands for values which no device measured; made at the first need. */
  manualDevice: (personId: string) => Promise<string>
}

interface Landing {
  index: number
  observation: Observation
}

/** Takes samples that come over HTTP or the live channel: the same intake as MQTT, with the sender's grants on top. */
export function createHttpIntake({ store, now, latestMs = now, manualDevice }: HttpIntakeDeps): HttpIntake {
  const wearers = createWearers(store)
  return {
    async take(samples, upload) {
      const deviceId = await deviceOf(upload, manualDevice)
      const context = { ...contextOf(upload, deviceId, wearers, now()), nowMs: latestMs() }
      const landing: Landing[] = []
      const rejected: RejectedItem[] = []
      for (const item of readSamples(samples)) {
        const { index } = item
        if ('refused' in item) {
          rejected.push({ index, code: 'VALIDATION_ERROR', message: item.refused, path: item.path })
          continue
        }
        for (const intake of takeIn(item.sample, context)) {
          const refused = refusedOf(intake, upload.actor, now())
          if (refused) rejected.push({ index, ...refused })
          else if ('observation' in intake) landing.push({ index, observation: intake.observation })
        }
      }
      if (upload.whole && rejected.length > 0) return { accepted: 0, duplicates: 0, rejected }
      const outcomes =
        landing.length === 0
          ? []
          : await store.observations.append(landing.map(({ observation }) => observation))
      return { ...count(landing, outcomes), rejected }
    },
  }
}

async function deviceOf(upload: Upload, manualDevice: HttpIntakeDeps['manualDevice']): Promise<string> {
  if (upload.actor.kind === 'device') return upload.actor.deviceId
  if (upload.deviceId !== null) return upload.deviceId
  if (upload.personId !== null) return manualDevice(upload.personId)
  throw new HubError('VALIDATION_ERROR', 'Say whose samples these are: person_id is missing.', {
    details: [{ path: 'person_id', message: 'is missing' }],
  })
}

function contextOf(
  upload: Upload,
  deviceId: string,
  wearers: ReturnType<typeof createWearers>,
  nowMs: number,
): IntakeContext {
  const zones = new Map<string, string | null>()
  /** Null for nobody, and just so for somebody out of the sender's sight: no answer tells the two apart. */
  const zoneIfSeen = (personId: string): string | null => {
    const known = zones.get(personId)
    if (known !== undefined) return known
    const zone = isInSight(upload.actor, personId, nowMs) ? wearers.zoneOf(personId) : null
    zones.set(personId, zone)
    return zone
  }
  const zone = (upload.personId === null ? null : zoneIfSeen(upload.personId)) ?? 'UTC'
  return {
    deviceId,
    source: upload.source,
    nowMs,
    arrivedMs: null,
    deviceZone: zone,
    naiveZone: zone,
    personAt(atMs, named) {
      const wanted = named ?? upload.personId
      if (upload.actor.kind === 'device') {
        if (wanted === null) return wearers.wearerAt(deviceId, atMs)
        return upload.actor.serves.includes(wanted) ? wanted : null
      }
      if (wanted === null || zoneIfSeen(wanted) === null) return null
      // Somebody else's watch must not end up in this person's record.
      if (upload.deviceId !== null && !wearers.servesAt(deviceId, wanted, atMs)) return null
      return wanted
    },
  }
}

function isInSight(actor: Actor, personId: string, nowMs: number): boolean {
  return actor.kind === 'device' ? actor.serves.includes(personId) : maySee(actor, personId, nowMs)
}

/** The sample's own fault, or what the sender may not write of somebody in sight. */
function refusedOf(intake: Intake, actor: Actor, nowMs: number): Omit<RejectedItem, 'index'> | null {
  if ('rejected' in intake) return intake.rejected
  const { personId, metric } = intake.observation
  const dataClass = metricNamed(metric)?.class ?? 'wellness'
  // What a device measured for its wearer of then is the device's to report, though somebody else wears it now.
  if (actor.kind === 'device' || can(actor, 'write', personId, dataClass, nowMs)) return null
  return { code: 'FORBIDDEN', message: `you may not write ${dataClass} of this person`, path: 'person' }
}

function count(
  landing: readonly Landing[],
  outcomes: readonly Outcome[],
): { accepted: number; duplicates: number } {
  const newIn = new Map<number, boolean>()
  landing.forEach(({ index }, at) => {
    newIn.set(index, (newIn.get(index) ?? false) || outcomes[at] !== 'duplicate')
  })
  const accepted = [...newIn.values()].filter((isNew) => isNew).length
  return { accepted, duplicates: newIn.size - accepted }
}
