/** The day that is shown, with the days beside it and any other. */
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { localDay } from '../../../../domain/zone.ts'
import { useApp } from '../../../app.ts'
import { Icon } from '../../../parts/icon.tsx'
import { useHealth } from '../health.ts'
import { dayPlus } from '../scale.ts'

export interface DayStepProps {
  day: string
  onDay: (day: string) => void
  /** Under the day, when only part of it is shown. */
  part?: string
  /** Steps of their own where something else than a day is stepped through; null later: not begun yet. */
  steps?: { earlier: () => void; later: (() => void) | null }
}

export function DayStep({ day, onDay, part, steps }: DayStepProps): JSX.Element {
  const { t, format } = useApp()
  const dates = useRef<HTMLInputElement>(null)
  const today = useToday()
  const earlier = steps?.earlier ?? (() => onDay(dayPlus(day, -1)))
  const later = steps ? steps.later : day >= today ? null : () => onDay(dayPlus(day, 1))
  return (
    <div class="travel">
      <button type="button" class="icon-button" aria-label={t('day.earlier.day')} onClick={earlier}>
        <Icon name="back" />
      </button>
      <button type="button" class="travel-day" onClick={() => dates.current?.showPicker()}>
        <span>{day === today ? t('day.today') : format.day(day)}</span>
        {part !== undefined && <span class="travel-hour">{part}</span>}
        <span class="visually-hidden">{t('day.choose')}</span>
      </button>
      <input
        ref={dates}
        class="date-behind"
        type="date"
        tabIndex={-1}
        aria-label={t('day.choose')}
        value={day}
        max={today}
        onChange={(event) => {
          const { value } = event.currentTarget
          if (value !== '' && value <= today) onDay(value)
        }}
      />
      <button
        type="button"
        class="icon-button"
        aria-label={t('day.later.day')}
        disabled={later === null}
        onClick={() => later?.()}
      >
        <Icon name="next" />
      </button>
    </div>
  )
}

/** The person's own day of this moment. */
export function useToday(): string {
  const { clock } = useApp()
  const { person } = useHealth()
  return localDay(clock.nowMs(), person.timezone)
}

const SWIPE_PX = 56
const FLICK_MS = 400

/** A quick sideways flick steps; slow or upright movement is reading or scrolling. */
export function useFlick(earlier: () => void, later: (() => void) | null) {
  const start = useRef<{ x: number; y: number; atMs: number } | null>(null)
  return {
    onTouchStart(event: TouchEvent) {
      const [touch, second] = event.touches
      start.current = touch && !second ? { x: touch.clientX, y: touch.clientY, atMs: event.timeStamp } : null
    },
    onTouchEnd(event: TouchEvent) {
      const [touch] = event.changedTouches
      const from = start.current
      start.current = null
      if (!touch || !from || event.timeStamp - from.atMs > FLICK_MS) return
      const [dx, dy] = [touch.clientX - from.x, touch.clientY - from.y]
      if (Math.abs(dx) < SWIPE_PX || Math.abs(dx) < 2 * Math.abs(dy)) return
      if (dx > 0) earlier()
      else later?.()
    },
  }
}
