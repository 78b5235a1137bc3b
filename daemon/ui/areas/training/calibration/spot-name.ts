/** The words of calibrating, and how a spot of the pitch is called. */
import { useWords } from '../../../app.ts'
import type { TranslateOf } from '../../../i18n/translate.ts'
import type { Spot } from './pitch.ts'
import { words } from './words.ts'

export type CalibrationWords = TranslateOf<typeof words>

export function useCalibrationWords(): { w: CalibrationWords; nameOf: (spot: Spot) => string } {
  const w = useWords(words)
  return {
    w,
    nameOf: ({ word, metres: { x, y } }) => (word === null ? w('calibrate.own', { x, y }) : w(word)),
  }
}
