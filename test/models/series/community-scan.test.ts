import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { criticalScore, exceedance, scanScore, trailingP } from '../../../models/series/community-scan.ts'
import { createDraw } from '../../../models/training/random.ts'

const HOURS_PER_MONTH = 720
const MINUTES_BETWEEN = 10
/** A person of fourteen learnt days has no rarer minute than one in so many hours. */
const RAREST = 1 / 337

function randomOf(seed: number): () => number {
  const draw = createDraw(seed)
  return () => draw.uniform(0, 1)
}

/** Everybody's rarest minute of each clock hour and when it was, as p-values of ordinary hours are defined. */
function createPeople(count: number, random: () => number) {
  const hour = () => ({ atMinute: Math.floor(random() * 60), p: Math.max(random(), RAREST) })
  const people = Array.from({ length: count }, () => ({ before: hour(), now: hour() }))
  return {
    nextHour: (sick: (person: number) => boolean) =>
      people.forEach((person, index) => {
        person.before = person.now
        person.now = hour()
        if (sick(index)) person.now.p = Math.max(random() ** 4, RAREST)
      }),
    /** What the hub sees at a minute of the hour: the rarest minute of the trailing hour. */
    scoreAt: (minute: number) =>
      scanScore(
        people.map(({ before, now }) => {
          const seen = [
            ...(before.atMinute > minute ? [before.p] : []),
            ...(now.atMinute <= minute ? [now.p] : []),
          ]
          return trailingP(Math.min(1, ...seen))
        }),
      ),
  }
}

function falseAlarmsPerMonth(count: number, months: number, seed: number): number {
  const people = createPeople(count, randomOf(seed))
  const line = criticalScore(count, 1 / HOURS_PER_MONTH)
  let hours = 0
  for (let hour = 0; hour < months * HOURS_PER_MONTH; hour += 1) {
    people.nextHour(() => false)
    let isAlarm = false
    for (let minute = 0; minute < 60; minute += MINUTES_BETWEEN) isAlarm ||= people.scoreAt(minute) >= line
    if (isAlarm) hours += 1
  }
  return hours / months
}

/** Hours until the alarm; Infinity where there is none within a day. */
function delayHours(count: number, share: number, seed: number): number {
  const people = createPeople(count, randomOf(seed))
  const line = criticalScore(count, 1 / HOURS_PER_MONTH)
  people.nextHour(() => false)
  for (let hour = 0; hour < 24; hour += 1) {
    people.nextHour((person) => person < Math.round(count * share))
    for (let minute = 0; minute < 60; minute += MINUTES_BETWEEN)
      if (people.scoreAt(minute) >= line) return hour + minute / 60
  }
  return Number.POSITIVE_INFINITY
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

test('the chance of a score is what uniform p-values show', () => {
  const random = randomOf(1)
  for (const [people, score] of [
    [5, 4],
    [12, 3.5],
    [40, 3],
  ] as const) {
    let reached = 0
    const rounds = 20_000
    for (let round = 0; round < rounds; round += 1)
      if (scanScore(Array.from({ length: people }, random)) >= score) reached += 1
    const said = exceedance(people, score)
    const spread = Math.sqrt((said * (1 - said)) / rounds)
    assert.ok(
      Math.abs(reached / rounds - said) < 4 * spread + 1e-4,
      `${people}: ${reached / rounds}, said ${said}`,
    )
  }
})

test('two people, however odd, never make a score, and a third makes one', () => {
  const rest = Array.from({ length: 8 }, () => 0.6)
  assert.equal(scanScore([1e-9, 1e-9, ...rest]), 0)
  assert.ok(scanScore([1e-9, 1e-9, 1e-9, ...rest]) > criticalScore(11, 1 / HOURS_PER_MONTH))
})

test('quiet months keep the stated rate of at most one false hour a month, looked at all the time', (t) => {
  for (const people of [5, 10, 20, 50]) {
    const found = falseAlarmsPerMonth(people, 40, people)
    t.diagnostic(`${people} people: ${found.toFixed(2)} hours with a false alarm in a month`)
    // Forty months at a rate of one: more than 1.5 would be three standard deviations above it.
    assert.ok(found <= 1.5, `${people} people: ${found} hours a month`)
  }
})

test('an outbreak among half of the people is noticed within hours', (t: TestContext) => {
  const rounds = Array.from({ length: 60 }, (_, round) => round)
  for (const people of [10, 20, 50])
    for (const share of [0.3, 0.5]) {
      const delays = rounds.map((round) => delayHours(people, share, 1000 + round))
      const missed = delays.filter((delay) => delay === Number.POSITIVE_INFINITY).length
      const told = median(delays)
      t.diagnostic(
        `${people} people, ${share * 100} % of them: ${told.toFixed(1)} h, ${missed} of 60 not in a day`,
      )
      if (share === 0.5) assert.ok(told <= 6 && missed <= 3, `${people}: ${told} h, ${missed} missed`)
    }
})
