/** What the indicator says in words: what it is, what is missing, what may help. Never a diagnosis. */
import type { OverloadGap, OverloadPart, OverloadShare } from '../../../models/series/load-overload.ts'

export const NOTE =
  'An overload indicator: how far these days are from this person’s own last four weeks. It does not measure burnout, ' +
  'which questionnaires define, and it is no diagnosis.'

export const METHOD =
  'z-scores of recovery (25 %), HRV of the week (20 %), sleep debt (20 %), load ratio (15 %, only above usual) and mood of ' +
  'the week (20 %) against the 28 days before; parts that are missing are shared out among the others; ' +
  'score = 100 / (1 + e^(−1.5 x)); 50 is usual.'

export const OPT_IN =
  'For people under 16 this is shown only when a caregiver has asked for it: set preferences.burnout_opt_in to true.'

const PARTS: Readonly<Record<OverloadPart, string>> = {
  recovery: 'Recovery of the last night',
  hrv: 'Heart rate variability of the last week',
  sleep_debt: 'Sleep debt of the last two weeks',
  load_ratio: 'Training load against the usual',
  mood: 'Mood of the last week',
}

const SOURCES: Readonly<Record<OverloadPart, string>> = {
  recovery: 'connect a WHOOP strap, or send recovery from another source',
  hrv: 'send the nightly HRV (RMSSD) of a watch or strap',
  sleep_debt: 'record nights: at least 7 of the last 14',
  load_ratio: 'record activities with their duration for four weeks',
  mood: 'check in with a mood on at least 3 days of the week',
}

export function labelOf(part: OverloadPart): string {
  return PARTS[part]
}

export function missingWords(part: OverloadPart, reason: OverloadGap): string {
  switch (reason) {
    case 'no_recent_value':
      return `${PARTS[part]}: nothing recent. To have it, ${SOURCES[part]}.`
    case 'under_14_days_of_baseline':
      return `${PARTS[part]}: under 14 days in the four weeks before, so nothing is known to be usual yet.`
    case 'no_variation':
      return `${PARTS[part]}: the same value every day, so nothing stands out from it.`
  }
}

const ADVICE: Readonly<Record<OverloadPart, string>> = {
  recovery: 'Recovery is below the usual. An easier day helps it back up.',
  hrv: 'The week’s heart rate variability is below the usual. Keep the next days light and regular.',
  sleep_debt: 'Sleep has fallen short of the need. Go to bed earlier on the next nights.',
  load_ratio: 'Training has risen faster than usual. Hold it where it is for a week.',
  mood: 'Mood has been below the usual this week. Talking about it with somebody close is a good start.',
}

/** A part says something from here on. */
const POINTS_WORTH_A_WORD = 5
const WORDS_MAX = 3

/** What may help, heaviest part first, each with the part that it rests on. */
export function recommendations(
  parts: readonly OverloadShare[],
  persistentlyHigh: boolean,
): { factor: OverloadPart | null; text: string }[] {
  const heavy = parts
    .filter(({ points }) => points >= POINTS_WORTH_A_WORD)
    .sort((a, b) => b.points - a.points)
    .slice(0, WORDS_MAX)
  const told = heavy.map(({ part }) => ({ factor: part, text: ADVICE[part] }))
  if (!persistentlyHigh) return told
  const text =
    'The indicator has been above 70 on at least 10 of the last 14 days. A short questionnaire, such as WHO-5 or the ' +
    'Copenhagen Burnout Inventory, or a talk with a professional can tell more than any wearable.'
  return [...told, { factor: null, text }]
}
