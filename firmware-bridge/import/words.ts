import type {
  ImportedActivity,
  ImportedEvent,
  ImportedSample,
  ImportedSleep,
  ImportRecord,
} from './record.ts'

/** What an import gives as one document. */
export interface ImportWords {
  samples: object[]
  sleep: object[]
  activities: object[]
  events: object[]
  skipped: { where: string; reason: string; count?: number }[]
  [finding: string]: unknown
}

/** Puts a record under its list, with the keys that answers and expected files use and RFC 3339 times. */
export function addWords(words: ImportWords, record: ImportRecord): void {
  if (record.kind === 'sample') words.samples.push(sampleWords(record))
  else if (record.kind === 'sleep') words.sleep.push(sleepWords(record))
  else if (record.kind === 'activity') words.activities.push(activityWords(record))
  else if (record.kind === 'event') words.events.push(eventWords(record))
  else if (record.kind === 'finding') words[record.name] = record.value
  else {
    const { where, reason, count } = record
    words.skipped.push({ where, reason, ...(count === undefined ? {} : { count }) })
  }
}

export function sampleWords(sample: ImportedSample): object {
  return compact({
    kind: 'sample',
    metric: sample.metric,
    value: sample.value,
    unit: sample.unit,
    t: iso(sample.atMs),
    tEnd: iso(sample.endMs),
    agg: sample.agg,
    censored: sample.censored,
    ...origin(sample),
  })
}

function sleepWords(sleep: ImportedSleep): object {
  return compact({
    kind: 'sleep',
    night_of: sleep.nightOf,
    nap: sleep.nap,
    start: iso(sleep.startMs),
    end: iso(sleep.endMs),
    in_bed_start: iso(sleep.inBed?.startMs),
    in_bed_end: iso(sleep.inBed?.endMs),
    minutes: sleep.minutes,
    stages: sleep.stages.map(({ stage, startMs, endMs }) => ({
      stage,
      start: iso(startMs),
      end: iso(endMs),
    })),
    ...origin(sleep),
  })
}

function activityWords(activity: ImportedActivity): object {
  return compact({
    kind: 'activity',
    type: activity.type,
    start: iso(activity.startMs),
    end: iso(activity.endMs),
    duration_s: activity.durationS,
    distance_m: activity.distanceM,
    energy_kcal: activity.energyKcal,
    hr_avg: activity.hrAvg,
    hr_max: activity.hrMax,
    ...origin(activity),
  })
}

export function eventWords(event: ImportedEvent): object {
  return compact({ kind: event.event, t: iso(event.atMs), ...origin(event) })
}

function origin(record: ImportedSample | ImportedSleep | ImportedActivity | ImportedEvent): object {
  return {
    device: record.device,
    source_name: record.sourceName,
    external_id: record.externalId,
    ...record.facts,
  }
}

function iso(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString()
}

function compact(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
