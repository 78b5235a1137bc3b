/** What a rule says, in a sentence. */
import type { Condition } from '../../../domain/rule.ts'
import type { Format } from '../../i18n/format.ts'
import type { TranslateOf } from '../../i18n/translate.ts'
import type { words } from './words.ts'

export type Say = TranslateOf<typeof words>

export function conditionText(condition: Condition, format: Format, say: Say): string {
  if (condition.type === 'battery') return say('rule.battery', { percent: condition.below_percent })
  const { metric } = condition
  const name = format.metric(metric)
  const measured = (value: number) => `${format.value(metric, value)} ${format.unit(metric)}`.trim()
  switch (condition.type) {
    case 'above':
    case 'below': {
      const values = { metric: name, value: measured(condition.threshold) }
      const forS = condition.for_seconds ?? 0
      return forS === 0
        ? say(`rule.${condition.type}`, values)
        : say(`rule.${condition.type}For`, { ...values, span: spanOf(forS, format, say) })
    }
    case 'rises':
    case 'falls':
      return say(`rule.${condition.type}`, {
        ...{ metric: name, value: measured(condition.change) },
        span: spanOf(condition.within_seconds, format, say),
      })
    case 'no_data':
    case 'stale':
      return say(`rule.${condition.type}`, {
        metric: name,
        span: spanOf(condition.after_seconds, format, say),
      })
  }
}

function spanOf(seconds: number, format: Format, say: Say): string {
  return seconds < 60 ? say('rule.seconds', { seconds }) : format.span(seconds * 1000)
}
