/** The same stretch as rows: hours of a day, or every reading of an hour with its source and revision. */
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp } from '../app.ts'
import type { LevelPoint, Observations, Person, RawPoint } from '../net/answers.ts'
import { Show, Skeleton } from '../parts/feedback.tsx'
import { createResource } from '../state/resource.ts'
import type { Stretch } from '../state/stretch.ts'

export interface DayTableProps {
  person: Person
  metric: string
  stretch: Stretch
  raw: readonly (LevelPoint | RawPoint)[]
}

/** Rows that a table draws at once; the newest ones when there are more. */
const ROWS = 600

export function DayTable(props: DayTableProps): JSX.Element {
  return props.stretch.span === 'day' ? <Hours {...props} /> : <Readings {...props} />
}

function Hours({ person, metric, stretch }: DayTableProps): JSX.Element {
  const { t, format, api } = useApp()
  const hours = useMemo(
    () =>
      createResource(async () => {
        const query = new URLSearchParams({
          metric,
          from: new Date(stretch.fromMs).toISOString(),
          to: new Date(stretch.toMs).toISOString(),
          level: '1h',
        })
        const path = `/people/${encodeURIComponent(person.id)}/observations?${query}`
        return (await api.get<Observations<LevelPoint>>(path)).points
      }),
    [person.id, metric, stretch.fromMs],
  )
  useEffect(() => void hours.reload(), [hours])
  return (
    <Show of={hours} loading={<Skeleton rows={4} />}>
      {(points) => (
        <table class="table">
          <caption>{t('table.hours', { metric: format.measured(metric) })}</caption>
          <thead>
            <tr>
              <th scope="col">{t('table.time')}</th>
              <th scope="col">{t('day.lowest')}</th>
              <th scope="col">{t('day.average')}</th>
              <th scope="col">{t('day.highest')}</th>
              <th scope="col">{t('day.readings')}</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.ts}>
                <th scope="row">{format.time(Date.parse(point.ts), person.timezone)}</th>
                <td>{format.value(metric, point.min)}</td>
                <td>{format.value(metric, point.mean)}</td>
                <td>{format.value(metric, point.max)}</td>
                <td>{point.count}</td>
              </tr>
            ))}
            {points.length === 0 && <EmptyRow columns={5} />}
          </tbody>
        </table>
      )}
    </Show>
  )
}

function Readings({ person, metric, raw }: DayTableProps): JSX.Element {
  const { t, format, household } = useApp()
  const readings = raw.filter((point) => 'value' in point)
  return (
    <table class="table">
      <caption>
        {t('table.readings', { metric: format.measured(metric) })}
        {readings.length > ROWS && ` ${t('table.newest', { count: ROWS })}`}
      </caption>
      <thead>
        <tr>
          <th scope="col">{t('table.time')}</th>
          <th scope="col">{t('table.value')}</th>
          <th scope="col">{t('table.device')}</th>
        </tr>
      </thead>
      <tbody>
        {readings.slice(-ROWS).map((point) => (
          <tr key={`${point.ts}${point.device}`}>
            <th scope="row">{seconds(Date.parse(point.ts))}</th>
            <td>
              {format.value(metric, point.value)}
              {point.revision > 0 && <span class="small"> {t('table.corrected')}</span>}
            </td>
            <td>{household.deviceName(point.device)}</td>
          </tr>
        ))}
        {readings.length === 0 && <EmptyRow columns={3} />}
      </tbody>
    </table>
  )

  function seconds(atMs: number): string {
    return `${format.time(atMs, person.timezone)}:${String(new Date(atMs).getUTCSeconds()).padStart(2, '0')}`
  }
}

function EmptyRow({ columns }: { columns: number }): JSX.Element {
  const { t } = useApp()
  return (
    <tr>
      <td colSpan={columns}>{t('day.none')}</td>
    </tr>
  )
}
