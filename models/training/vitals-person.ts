/** Made-up people whose minutes look like a watch's: heart rate follows sleep, the time of day and steps; HRV follows heart rate. */
import type { VitalMinute } from '../series/anomaly-minute.ts'
import type { Draw } from './random.ts'

export const DAY_MINUTES = 1440

/** The body and habits of one person. Ranges are wide on purpose: children, athletes and older people wear watches. */
export interface Body {
  sleepHr: number
  wakeRise: number
  dayAmplitude: number
  dayPeak: number
  bedtime: number
  sleepMinutes: number
  wanderSd: number
  wanderMinutes: number
  noiseSd: number
  isRounded: boolean
  lnHrv: number
  hrvPerBeat: number
  hrvNoise: number
  hrvWander: number
  bouts: number
  hrPerStep: number
  riseMinutes: number
  fallMinutes: number
  stirs: number
  excitements: number
  missing: number
  hasHrv: boolean
  hasSpo2: boolean
  hasTemp: boolean
  hasSteps: boolean
  everyMinutes: number
  tempBase: number
  spo2Base: number
}

export function drawBody(draw: Draw): Body {
  const { uniform, chance } = draw
  return {
    sleepHr: uniform(42, 82),
    wakeRise: uniform(6, 18),
    dayAmplitude: uniform(1, 7),
    dayPeak: uniform(13, 19) * 60,
    bedtime: uniform(20.5, 24.5) * 60,
    sleepMinutes: uniform(6.5, 10) * 60,
    wanderSd: uniform(1.5, 3.6),
    wanderMinutes: uniform(8, 40),
    noiseSd: uniform(0.4, 1.6),
    isRounded: chance(0.8),
    lnHrv: Math.log(uniform(28, 130)),
    hrvPerBeat: uniform(0.008, 0.022),
    hrvNoise: uniform(0.08, 0.2),
    hrvWander: uniform(0, 0.08),
    bouts: uniform(0.3, 3),
    hrPerStep: uniform(0.2, 0.6),
    riseMinutes: uniform(1.5, 5),
    fallMinutes: uniform(4, 13),
    stirs: uniform(0, 2),
    excitements: chance(0.6) ? uniform(0, 2) : 0,
    missing: uniform(0.002, 0.03),
    hasHrv: chance(0.85),
    hasSpo2: chance(0.4),
    hasTemp: chance(0.35),
    hasSteps: chance(0.97),
    everyMinutes: chance(0.85) ? 1 : 5,
    tempBase: uniform(35.2, 36.8),
    spo2Base: uniform(95.5, 98.5),
  }
}

/** What the body does before a watch rounds and loses some of it. */
export interface Course {
  /** Heart rate without the watch's noise. */
  hr: Float64Array
  lnHrv: Float64Array
  steps: Float64Array
  asleep: Uint8Array
  /** Minutes with a run or the like in them or shortly before. */
  strained: Uint8Array
  temp: Float64Array
  spo2: Float64Array
}

/** `days` days from local midnight on. */
export function drawCourse(body: Body, days: number, draw: Draw): Course {
  const minutes = days * DAY_MINUTES
  const asleep = drawSleep(body, days, draw)
  const { steps, strained } = drawSteps(body, asleep, draw)
  const extra = drawExcitement(body, asleep, draw)
  const course: Course = {
    ...{ asleep, steps, strained },
    hr: new Float64Array(minutes),
    lnHrv: new Float64Array(minutes),
    temp: new Float64Array(minutes),
    spo2: new Float64Array(minutes),
  }
  let effort = 0
  let awake = asleep[0] ? 0 : 1
  let wander = 0
  let hrvWander = 0
  let tempWander = 0
  const keep = Math.exp(-1 / body.wanderMinutes)
  for (let t = 0; t < minutes; t += 1) {
    const asked = body.hrPerStep * Math.max(0, (steps[t] ?? 0) - 3)
    effort += (asked - effort) / (asked > effort ? body.riseMinutes : body.fallMinutes)
    awake += ((asleep[t] ? 0 : 1) - awake) / 6
    wander = keep * wander + draw.normal(0, body.wanderSd * Math.sqrt(1 - keep * keep))
    hrvWander = 0.985 * hrvWander + draw.normal(0, body.hrvWander * 0.17)
    tempWander = 0.995 * tempWander + draw.normal(0, 0.012)
    const clock = Math.cos((2 * Math.PI * ((t % DAY_MINUTES) - body.dayPeak)) / DAY_MINUTES)
    const above = body.wakeRise * awake + body.dayAmplitude * clock + wander + effort + (extra[t] ?? 0)
    course.hr[t] = Math.min(body.sleepHr + above, 208)
    course.lnHrv[t] = body.lnHrv - body.hrvPerBeat * ((course.hr[t] ?? 0) - body.sleepHr) + hrvWander
    course.temp[t] = body.tempBase + 0.25 * clock - 0.3 * awake + tempWander + 0.004 * effort
    course.spo2[t] = body.spo2Base - 0.8 * (1 - awake)
  }
  return course
}

function drawSleep({ bedtime, sleepMinutes }: Body, days: number, draw: Draw): Uint8Array {
  const asleep = new Uint8Array(days * DAY_MINUTES)
  for (let day = -1; day < days; day += 1) {
    const from = Math.round(day * DAY_MINUTES + bedtime + draw.normal(0, 25))
    const to = Math.round(from + sleepMinutes + draw.normal(0, 30))
    asleep.fill(1, Math.max(0, from), Math.max(0, Math.min(to, asleep.length)))
  }
  return asleep
}

function drawSteps(
  body: Body,
  asleep: Uint8Array,
  draw: Draw,
): { steps: Float64Array; strained: Uint8Array } {
  const steps = new Float64Array(asleep.length)
  const strained = new Uint8Array(asleep.length)
  for (let t = 0; t < steps.length; t += 1) {
    if (asleep[t]) continue
    // Minutes at a desk, and now and then a walk to the kitchen.
    steps[t] = draw.chance(0.25) ? Math.max(0, Math.round(draw.normal(18, 5))) : draw.whole(0, 3)
  }
  const days = steps.length / DAY_MINUTES
  for (let bout = 0; bout < Math.round(body.bouts * days); bout += 1) {
    const from = draw.whole(0, steps.length - 1)
    const length = draw.whole(6, 60)
    const pace = draw.uniform(50, 165)
    const to = Math.min(from + length, steps.length)
    if (asleep[from] || asleep[to - 1]) continue
    for (let t = from; t < to; t += 1) steps[t] = Math.max(0, Math.round(draw.normal(pace, 12)))
    strained.fill(1, from, Math.min(to + 30, steps.length))
  }
  for (let stir = 0; stir < Math.round(body.stirs * days); stir += 1) {
    const from = draw.whole(0, steps.length - 8)
    if (!asleep[from]) continue
    for (let t = from; t < from + draw.whole(1, 5); t += 1) steps[t] = draw.whole(2, 25)
  }
  return { steps, strained }
}

/** Laughter, a quarrel, an exciting game: small rises that nobody should be called for. */
function drawExcitement(body: Body, asleep: Uint8Array, draw: Draw): Float64Array {
  const extra = new Float64Array(asleep.length)
  for (let one = 0; one < Math.round((body.excitements * extra.length) / DAY_MINUTES); one += 1) {
    const from = draw.whole(0, extra.length - 20)
    if (asleep[from]) continue
    const height = draw.uniform(3, 9)
    const length = draw.whole(3, 15)
    for (let t = from; t < from + length; t += 1)
      extra[t] = height * Math.sin((Math.PI * (t - from + 1)) / (length + 1))
  }
  return extra
}

/** What the watch makes of it: rounded, noisy, with holes, and only the channels that it has. */
export function asWorn(body: Body, course: Course, draw: Draw): VitalMinute[] {
  const minutes: VitalMinute[] = []
  const holes = drawHoles(body, course.hr.length, draw)
  for (let t = 0; t < course.hr.length; t += 1) {
    const hr = (course.hr[t] ?? 0) + draw.normal(0, body.noiseSd)
    const hrv = Math.exp((course.lnHrv[t] ?? 0) + draw.normal(0, body.hrvNoise))
    const isSeen = t % body.everyMinutes === 0 && !holes[t]
    minutes.push({
      minuteOfDay: t % DAY_MINUTES,
      hr: isSeen ? (body.isRounded ? Math.round(hr) : Math.round(hr * 10) / 10) : null,
      hrv: isSeen && body.hasHrv ? Math.min(Math.round(hrv), 250) : null,
      steps: body.hasSteps ? Math.round(course.steps[t] ?? 0) : null,
      spo2:
        body.hasSpo2 && isSeen
          ? Math.min(100, Math.round((course.spo2[t] ?? 0) + draw.normal(0, 0.8)))
          : null,
      temp:
        body.hasTemp && t % 5 === 0
          ? Math.round(((course.temp[t] ?? 0) + draw.normal(0, 0.05)) * 100) / 100
          : null,
    })
  }
  return minutes
}

function drawHoles({ missing }: Body, minutes: number, draw: Draw): Uint8Array {
  const holes = new Uint8Array(minutes)
  for (let t = 0; t < minutes; t += 1) if (draw.chance(missing)) holes[t] = 1
  for (let long = 0; long < Math.round(minutes / (4 * DAY_MINUTES)); long += 1) {
    const from = draw.whole(0, minutes - 1)
    holes.fill(1, from, from + draw.whole(20, 120))
  }
  return holes
}
