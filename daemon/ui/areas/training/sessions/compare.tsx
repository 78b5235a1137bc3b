/** The players of a session side by side; a missing number says why. */
import type { JSX } from 'preact'
import type { Compared, KpiReason } from './answers.ts'
import { basisText, MoreKpis, reasonText } from './kpis.tsx'
import { clockOf, kmh, useNames, useSessionWords } from './sessions.ts'

export function CompareTable({ players }: Compared): JSX.Element {
  const w = useSessionWords()
  const nameOf = useNames()
  if (players.length === 0) return <p class="small">{w('review.noCompare')}</p>
  const cell = (value: number | string | null, reason: KpiReason | null) =>
    value ?? (
      <>
        {w('kpi.none')} <small>{reasonText(w, reason)}</small>
      </>
    )
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keyboard */}
      <section class="wide-table" tabIndex={0} aria-label={w('review.compare')}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{w('review.player')}</th>
              <th scope="col">{w('kpi.seen')}</th>
              <th scope="col">
                {w('kpi.distance')} ({w('kpi.m')})
              </th>
              <th scope="col">
                {w('kpi.max')} ({w('kpi.kmh')})
              </th>
              <th scope="col">{w('kpi.sprints')}</th>
              <th scope="col">{w('kpi.efforts')}</th>
              <th scope="col">{w('kpi.accelerations')}</th>
              <th scope="col">{w('kpi.cadence')}</th>
              <th scope="col">{w('compare.rpe')}</th>
              <th scope="col">{w('compare.load')}</th>
            </tr>
          </thead>
          <tbody>
            {players.map(({ player_id: id, rpe, duration_minutes: minutes, kpis }) => (
              <tr key={id}>
                <th scope="row">{nameOf(id)}</th>
                {kpis === null || kpis.physical.reason === 'not_assigned' ? (
                  <td colSpan={7}>
                    {kpis === null ? w('review.noKpis') : reasonText(w, kpis.physical.reason)}
                  </td>
                ) : (
                  <>
                    <td>
                      {cell(
                        kpis.physical.seen_s > 0 ? clockOf(kpis.physical.seen_s) : null,
                        kpis.physical.reason,
                      )}
                    </td>
                    <td>{cell(rounded(kpis.distance.total), kpis.distance.reason)}</td>
                    <td>
                      {cell(
                        kpis.speed.max_speed === null ? null : kmh(kpis.speed.max_speed),
                        kpis.speed.reason,
                      )}
                    </td>
                    <td>{cell(kpis.speed.sprints, kpis.speed.reason)}</td>
                    <td>{cell(kpis.speed.high_speed_efforts, kpis.speed.reason)}</td>
                    <td>{cell(kpis.physical.accelerations, kpis.physical.reason)}</td>
                    <td>
                      {cell(kpis.technical.movement.cadence_mean, kpis.technical.movement.cadence_reason)}
                    </td>
                  </>
                )}
                <td>{rpe ?? <small>{w('compare.notRated')}</small>}</td>
                <td>{rpe === null || minutes === null ? w('kpi.none') : Math.round(rpe * minutes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <ul class="players">
        {players.map(
          ({ player_id: id, kpis }) =>
            kpis && (
              <li key={id} class="player">
                <h3>{nameOf(id)}</h3>
                <p class="small">{basisText(w, kpis.speed.thresholds)}</p>
                <MoreKpis kpis={kpis} />
              </li>
            ),
        )}
      </ul>
    </>
  )
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value)
}
