/** Draws a glucose trace: target band behind, one line coloured by range, meals below, nights shaded, holes left open. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { metricNamed } from '../../../../domain/metric.ts'
import { wallTimeToMs } from '../../../../domain/zone.ts'
import { useApp } from '../../../app.ts'
import type { Meal } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { NowLine, TimeAxis } from '../parts/time-axis.tsx'
import { dayPlus, type Frame, lineThrough, type Scale, scaleOf } from '../scale.ts'
import { CUTS, type GlucoseUnit, glucoseText, targetOf } from '../units.ts'
import { ceilingOf, type Dot, partsOf, type sharesOf, type Window, type Zone, zoneOf } from './trace.ts'

export interface TraceFigureProps {
  window: Window
  dots: readonly Dot[]
  meals: readonly Meal[]
  shares: ReturnType<typeof sharesOf>
}

const HEIGHT_PX = 290
const FLOOR = 40
/** One line of the axis' text. */
const LABEL_PX = 13
const LEFT_PX = 38
const RIGHT_PX = 10
const MEALS_PX = 26
const AXIS_PX = 24
/** A finger means the reading within this many pixels. */
const NEAR_PX = 24

export function TraceFigure({ window, dots, meals, shares }: TraceFigureProps): JSX.Element {
  const { format, clock } = useApp()
  const { person, units } = useHealth()
  const say = useSay()
  const unit = units.glucose.value
  const zone = person.timezone
  const target = targetOf(person)
  const pointed = useSignal<Dot | null>(null)
  const { value: at } = pointed
  const maxGapMs = metricNamed('glucose')?.maxGapMs ?? 0
  const meal = at && meals.find(({ timestamp }) => Math.abs(Date.parse(timestamp) - at.atMs) < 10 * 60_000)
  return (
    <>
      <p class="curve-reading">
        {at ? (
          <>
            <strong>{format.time(at.atMs, zone)}</strong> {dotText(at)}
            {meal && <span class="small"> · {mealText(meal)}</span>}
          </>
        ) : (
          say('glucose.target', {
            low: glucoseText(target.low, unit),
            high: glucoseText(target.high, unit),
            unit,
          })
        )}
      </p>
      <Figure
        label={sentence()}
        table={{
          caption: say('glucose.table', { unit }),
          head: [say('table.when'), say('table.value'), say('table.range')],
          rows: dots.map((dot) => [
            format.time(dot.atMs, zone),
            glucoseText(dot.value, unit),
            say(`range.${zoneOf(dot.value)}`),
          ]),
          none: say('glucose.empty'),
        }}
        onPoint={(x, width) => {
          pointed.value = x === null ? null : nearest(dots, xOf(width), x)
        }}
      >
        {(width) => (
          <Trace
            {...{ window, dots, meals, unit, zone, width, maxGapMs, target }}
            x={xOf(width)}
            nowMs={clock.nowMs()}
            pointed={at}
          />
        )}
      </Figure>
    </>
  )

  function xOf(width: number): Scale {
    return scaleOf(window.fromMs, window.toMs, LEFT_PX, width - RIGHT_PX)
  }

  function dotText({ value, censored }: Dot): string {
    const number = `${glucoseText(value, unit)} ${unit}`
    return censored ? say(`glucose.censored.${censored}`, { value: number }) : number
  }

  function mealText({ meal_type: type, carbs_grams: carbs }: Meal): string {
    const name = say(type === null ? 'meal.short' : `meal.${type}`)
    return carbs === null ? name : `${name}, ${say('meal.carbs', { grams: Math.round(carbs) })}`
  }

  function sentence(): string {
    if (shares === null) return say('glucose.sayNothing', { name: person.name })
    const values = dots.map(({ value }) => value)
    return say('glucose.say', {
      name: person.name,
      day: format.day(window.day, 'long'),
      count: dots.length,
      low: glucoseText(Math.min(...values), unit),
      high: glucoseText(Math.max(...values), unit),
      unit,
      share: Math.round(shares.within),
      holes: Math.max(0, partsOf(dots, maxGapMs).length - 1),
      meals: meals.length,
    })
  }
}

function nearest(dots: readonly Dot[], x: Scale, at: number): Dot | null {
  let found: Dot | null = null
  for (const dot of dots) if (!found || Math.abs(x(dot.atMs) - at) < Math.abs(x(found.atMs) - at)) found = dot
  return found && Math.abs(x(found.atMs) - at) <= NEAR_PX ? found : null
}

interface TraceProps extends Omit<TraceFigureProps, 'shares'> {
  unit: GlucoseUnit
  zone: string
  width: number
  maxGapMs: number
  target: { low: number; high: number }
  x: Scale
  nowMs: number
  pointed: Dot | null
}

function Trace({
  window,
  dots,
  meals,
  unit,
  zone,
  width,
  maxGapMs,
  target,
  x,
  nowMs,
  pointed,
}: TraceProps): JSX.Element {
  const id = useId().replaceAll(':', '')
  const frame: Frame = {
    ...{ width, height: HEIGHT_PX, left: LEFT_PX, right: RIGHT_PX, top: 8 },
    bottom: MEALS_PX + AXIS_PX,
  }
  const ceiling = ceilingOf(dots)
  const bottom = HEIGHT_PX - frame.bottom
  const y = scaleOf(FLOOR, ceiling, bottom, frame.top)
  const across = width - LEFT_PX - RIGHT_PX
  const parts = partsOf(dots, maxGapMs)
  const clamp = (value: number) => y(Math.max(FLOOR, value))
  /** Middle of a label; the lowest gives way to the one above it. */
  const labelAt = (cut: number) =>
    (cut === CUTS.veryLow ? Math.max(y(cut), y(CUTS.low) + LABEL_PX) : y(cut)) + 4
  const zones: [Zone, number, number][] = [
    ['veryHigh', CUTS.veryHigh, ceiling],
    ['high', CUTS.high, CUTS.veryHigh],
    ['inRange', CUTS.low, CUTS.high],
    ['low', CUTS.veryLow, CUTS.low],
    ['veryLow', FLOOR, CUTS.veryLow],
  ]
  return (
    <svg width={width} height={HEIGHT_PX} aria-hidden="true">
      <defs>
        <clipPath id={`${id}plot`}>
          <rect x={LEFT_PX} y={0} width={across} height={HEIGHT_PX} />
        </clipPath>
        {zones.map(([zone, low, high]) => (
          <clipPath key={zone} id={`${id}${zone}`}>
            <rect
              x={LEFT_PX}
              y={y(high) - (zone === 'veryHigh' ? 8 : 0)}
              width={across}
              height={y(low) - y(high) + (zone === 'veryHigh' ? 8 : 0) + (zone === 'veryLow' ? 4 : 0)}
            />
          </clipPath>
        ))}
      </defs>
      <g clip-path={`url(#${id}plot)`}>
        {nightsIn(window, zone).map(([fromMs, toMs]) => (
          <rect
            key={fromMs}
            class="night"
            x={x(fromMs)}
            y={frame.top}
            width={x(toMs) - x(fromMs)}
            height={bottom - frame.top}
          />
        ))}
      </g>
      <rect
        class="target"
        x={LEFT_PX}
        y={y(target.high)}
        width={across}
        height={y(target.low) - y(target.high)}
      />
      {[CUTS.veryLow, CUTS.low, CUTS.high, CUTS.veryHigh].map((cut) => (
        <g key={cut} class="axis">
          <line class="grid-line" x1={LEFT_PX} x2={width - RIGHT_PX} y1={y(cut)} y2={y(cut)} />
          <text x={LEFT_PX - 6} y={labelAt(cut)} text-anchor="end">
            {glucoseText(cut, unit)}
          </text>
        </g>
      ))}
      <TimeAxis
        frame={{ ...frame, bottom: AXIS_PX }}
        x={x}
        fromMs={window.fromMs}
        toMs={window.toMs}
        zone={zone}
      />
      <NowLine frame={frame} x={x} nowMs={nowMs} />
      {zones.map(([zone]) => (
        <g key={zone} clip-path={`url(#${id}${zone})`} class={`zone-${zone}`}>
          {parts.map((part) =>
            part.length === 1 ? (
              part.map((dot) => (
                <circle key={dot.atMs} class="dot" cx={x(dot.atMs)} cy={clamp(dot.value)} r={2.5} />
              ))
            ) : (
              <path
                key={part[0]?.atMs}
                class="line"
                d={lineThrough(part.map((dot) => ({ x: x(dot.atMs), y: clamp(dot.value) })))}
              />
            ),
          )}
        </g>
      ))}
      {dots
        .filter(({ censored }) => censored !== null)
        .map(({ atMs, value }) => (
          <circle key={atMs} class="hollow-dot" cx={x(atMs)} cy={clamp(value)} r={4} />
        ))}
      <Meals meals={meals} x={x} top={bottom} line={bottom} />
      {pointed && (
        <>
          <line class="pointer" x1={x(pointed.atMs)} x2={x(pointed.atMs)} y1={frame.top} y2={bottom} />
          <circle
            class={`pointed zone-${zoneOf(pointed.value)}`}
            cx={x(pointed.atMs)}
            cy={clamp(pointed.value)}
            r={5}
          />
        </>
      )}
    </svg>
  )
}

function Meals({
  meals,
  x,
  top,
  line,
}: {
  meals: readonly Meal[]
  x: Scale
  top: number
  line: number
}): JSX.Element {
  let free = 0
  return (
    <g class="meals">
      {meals
        .toSorted((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))
        .map(({ id, timestamp, carbs_grams: carbs }) => {
          const at = x(Date.parse(timestamp))
          const words = carbs === null ? '' : `${Math.round(carbs)} g`
          const fits = at - words.length * 3.5 > free
          if (fits) free = at + words.length * 3.5 + 4
          return (
            <g key={id}>
              <line class="meal-line" x1={at} x2={at} y1={line - 12} y2={line} />
              <path class="meal-mark" d={`M${at - 5} ${line}h10l-5 -8z`} />
              {fits && (
                <text x={at} y={top + 17} text-anchor="middle">
                  {words}
                </text>
              )}
            </g>
          )
        })}
    </g>
  )
}

/** Ten at night to six in the morning by the wall clock, as far as the window shows them. */
function nightsIn({ day, fromMs, toMs }: Window, zone: string): [fromMs: number, toMs: number][] {
  return [dayPlus(day, -2), dayPlus(day, -1), day].flatMap((evening) => {
    const from = wallTimeToMs(`${evening}T22:00`, zone)
    const to = wallTimeToMs(`${dayPlus(evening, 1)}T06:00`, zone)
    return from !== null && to !== null && from < toMs && to > fromMs ? [[from, to] as [number, number]] : []
  })
}
