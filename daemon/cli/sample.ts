import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { isDay, localDay } from '../domain/zone.ts'
import { writeFileAtomic } from '../kernel/atomic-file.ts'
import { HubError } from '../kernel/errors.ts'
import type { Control } from './control.ts'
import { dayPlus, daysOf, instantAt, type SampleDay, type SampleSpan } from './sample/days.ts'
import { type Profile, profileOf } from './sample/profile.ts'
import { createRandom } from './sample/random.ts'
import { glucoseOf, minutesOf, pulseOf, type SampleValue, stagesOf, stepsOf } from './sample/series.ts'
import { truthOf } from './sample/truth.ts'
import { answer, rows, type Shell, subcommand, text } from './shell.ts'

export interface SampleDeps {
  shell: Shell
  now: () => number
}

interface Options {
  days: number
  people: number
  seed: number
  until?: string
  force?: boolean
  json?: boolean
}

const CHUNK = 5000
const RECORDS_AT_ONCE = 16

/** `sample`: a household that never was, for looking around and for checking what finds patterns. */
export function registerSample(program: Command, { shell, now }: SampleDeps): void {
  subcommand(program, 'sample', 'fill this hub with a made-up household, the same for the same seed')
    .option('--days <n>', 'how many days back', within(1, 400), 90)
    .option('--people <n>', 'how many people', within(1, 12), 3)
    .option('--seed <n>', 'another one is another household', within(0, 2 ** 31), 1)
    .option('--until <YYYY-MM-DD>', 'the last day; otherwise yesterday')
    .option('--force', 'even where real people live')
    .action((options: Options) =>
      answer(
        shell,
        options,
        () => fill(options, shell, now),
        (made) =>
          `${made.people.length} people with ${options.days} days. What is true of them: ${made.truth}`,
      ),
    )
}

function within(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(`a whole number from ${low} to ${high}`)
    return value
  }
}

async function fill(options: Options, shell: Shell, now: () => number) {
  refuseUntil(options.until, now())
  const control = shell.control()
  const known = rows(await control.call('GET', '/people?per_page=200'))
  const real = known.filter((person) => !isSample(person))
  if (real.length > 0 && !options.force) {
    throw new HubError(
      'CONFLICT',
      `Real people live on this hub (${real.map((one) => text(one, 'name')).join(', ')}). Repeat with --force to put made-up ones beside them.`,
    )
  }
  const people = []
  for (let index = 0; index < options.people; index += 1) {
    const profile = profileOf(options.seed, index)
    if (!options.json) shell.err(`${profile.name} …`)
    people.push(await fillPerson(profile, options, control, now()))
  }
  const truth = join(shell.dataDir(), `sample-${options.seed}.truth.json`)
  const written = { seed: options.seed, days: options.days, people: people.map(({ truth }) => truth) }
  await writeFileAtomic(truth, `${JSON.stringify(written, null, 1)}\n`)
  return { people: people.map(({ truth: _, ...counts }) => counts), truth }
}

/** Before anybody is added: a day that has not passed yet holds values of the future, which no way in takes. */
export function refuseUntil(until: string | undefined, nowMs: number): void {
  if (until === undefined) return
  if (!isDay(until))
    throw new HubError('VALIDATION_ERROR', `--until is a day like 2026-03-14, not "${until}".`)
  if (until >= localDay(nowMs, 'UTC'))
    throw new HubError('VALIDATION_ERROR', `--until is a day that has passed, not ${until}.`)
}

function isSample(person: Record<string, unknown>): boolean {
  return 'sample' in Object(person['preferences'])
}

async function fillPerson(profile: Profile, options: Options, control: Control, nowMs: number) {
  const zone = await ensurePerson(profile, options.seed, control)
  const lastDate = options.until ?? dayPlus(localDay(nowMs, zone), -1)
  const span: SampleSpan = { seed: options.seed, lastDate, days: options.days, zone }
  const days = daysOf(profile, span)
  const series = { profile, days, seed: options.seed, zone }
  const first = days[0]
  if (!first) throw new HubError('VALIDATION_ERROR', 'There is no day to fill.')
  const watch = await ensureWatch(
    profile,
    Math.min(first.sleep.startMs, instantAt(first.date, 0, zone)),
    control,
  )
  const glucose = glucoseOf(series)
  const readings = glucose.map(({ atMs, value }) => ({ timestamp: atMs, value, source: 'sample_cgm' }))
  const values = [...pulseOf(series), ...stepsOf(series), ...nightValues(profile, days, options.seed)]
  let accepted = 0
  for (let at = 0; at < readings.length; at += CHUNK) {
    const part = { person_id: profile.id, readings: readings.slice(at, at + CHUNK) }
    accepted += acceptedOf(await control.call('POST', '/glucose/bulk', part))
  }
  for (let at = 0; at < values.length; at += CHUNK) {
    const part = { person_id: profile.id, device_id: watch, samples: values.slice(at, at + CHUNK) }
    accepted += acceptedOf(await control.call('POST', '/health_data/ingest', part))
  }
  const records = days.flatMap((day) => recordsOf(profile, day, options.seed))
  for (let at = 0; at < records.length; at += RECORDS_AT_ONCE)
    await Promise.all(
      records.slice(at, at + RECORDS_AT_ONCE).map(({ path, body }) => control.call('POST', path, body)),
    )
  const truth = truthOf(profile, days, glucose, zone)
  return { id: profile.id, name: profile.name, accepted, records: records.length, truth }
}

function acceptedOf(result: unknown): number {
  const { accepted, rejected } = Object(result) as { accepted?: number; rejected?: { message: string }[] }
  const [first] = rejected ?? []
  if (first) throw new HubError('INTERNAL', `The hub refused a made-up value: ${first.message}.`)
  return accepted ?? 0
}

/** Makes the person, or finds the one that the same seed made before; resolves with the time zone. */
async function ensurePerson(profile: Profile, seed: number, control: Control): Promise<string> {
  const preferences = { sample: { seed } }
  try {
    const body = { id: profile.id, name: profile.name, age: profile.age, preferences }
    return text(await control.call('POST', '/people', body), 'timezone')
  } catch (cause) {
    if (!(cause instanceof HubError) || cause.code !== 'CONFLICT') throw cause
  }
  const known = await control.call('GET', `/people/${profile.id}`)
  const { sample } = Object(Object(known).preferences) as { sample?: { seed?: number } }
  if (sample?.seed === seed) return text(known, 'timezone')
  throw new HubError(
    'CONFLICT',
    `${profile.id} is here already, of another household. Remove that person first.`,
  )
}

async function ensureWatch({ id, name }: Profile, fromMs: number, control: Control): Promise<string> {
  const watch = `${id}_watch`
  try {
    await control.call('POST', '/devices', { id: watch, type: 'watch', name: `${name}'s made-up watch` })
  } catch (cause) {
    if (!(cause instanceof HubError) || cause.code !== 'CONFLICT') throw cause
  }
  await control.call('PATCH', `/devices/${watch}`, { person_id: id, from: new Date(fromMs).toISOString() })
  return watch
}

function nightValues(profile: Profile, days: readonly SampleDay[], seed: number): SampleValue[] {
  return days.flatMap((day) => [
    ...stagesOf(day, createRandom(seed, `${profile.id} ${day.date} stages`)).map(
      ({ stage, startMs, endMs }): SampleValue => ({
        ts: startMs,
        metric: 'sleep_state',
        value: stage,
        tEnd: endMs,
      }),
    ),
    { ts: day.sleep.endMs, metric: 'resting_heart_rate', value: day.restingPulse },
    { ts: day.sleep.endMs, metric: 'hrv_rmssd', value: day.hrvMs },
  ])
}

function recordsOf(profile: Profile, day: SampleDay, seed: number): { path: string; body: object }[] {
  const about = { person_id: profile.id, source: 'sample' }
  const { sleep, activity, meals, mood } = day
  const stages = stagesOf(day, createRandom(seed, `${profile.id} ${day.date} stages`))
  return [
    {
      path: '/sleep',
      body: {
        ...about,
        sleep_start: sleep.startMs,
        sleep_end: sleep.endMs,
        deep_sleep_minutes: minutesOf(stages, 'deep'),
        rem_sleep_minutes: minutesOf(stages, 'rem'),
        light_sleep_minutes: minutesOf(stages, 'light'),
        awake_minutes: minutesOf(stages, 'awake'),
        duration_minutes: sleep.asleepMin,
        quality_score: sleep.quality,
      },
    },
    ...meals.map(({ atMs, type, carbsG, proteinG, fatG }) => ({
      path: '/meals',
      body: {
        ...about,
        ...{
          timestamp: atMs,
          meal_type: type,
          carbs_grams: carbsG,
          protein_grams: proteinG,
          fat_grams: fatG,
        },
        calories: 4 * carbsG + 4 * proteinG + 9 * fatG,
      },
    })),
    ...(activity
      ? [
          {
            path: '/activities',
            body: {
              ...about,
              ...{ timestamp: activity.startMs, activity_type: activity.type },
              ...{ duration_minutes: activity.minutes, intensity: 'moderate' },
            },
          },
        ]
      : []),
    { path: '/mood', body: { ...about, timestamp: mood.atMs, rating: mood.rating } },
  ]
}
