/** Numbers of one player: each with its unit, or with the reason why there is none, and where zones come from. */
import type { JSX } from 'preact'
import type { KpiReason, Kpis } from './answers.ts'
import { clockOf, kmh, type SessionWords, useSessionWords } from './sessions.ts'

/** A number that is missing without a reason of its own, of somebody who was seen, needs more to be seen of them. */
export function reasonText(w: SessionWords, reason: KpiReason | null): string {
  return w(`why.${reason ?? 'too_short'}`)
}

export interface KpiProps {
  label: string
  value: number | null
  unit: string
  reason: KpiReason | null
  /** Other words for why there is no number. */
  why?: string
}

export function Kpi({ label, value, unit, reason, why }: KpiProps): JSX.Element {
  const w = useSessionWords()
  return (
    <div class="kpi">
      <dt>{label}</dt>
      <dd>
        {value === null ? (
          <>
            <span class="kpi-value">{w('kpi.none')}</span>
            <span class="kpi-why">{why ?? reasonText(w, reason)}</span>
          </>
        ) : (
          <>
            <span class="kpi-value">{value}</span> <span class="kpi-unit">{unit}</span>
          </>
        )}
      </dd>
    </div>
  )
}

/** The rest, which one opens: zones with their source, runs, movement. */
export function MoreKpis({ kpis }: { kpis: Kpis }): JSX.Element {
  const w = useSessionWords()
  const { speed, physical, technical } = kpis
  const { movement } = technical
  return (
    <details class="more-kpis">
      <summary>{w('kpi.more')}</summary>
      <Zones kpis={kpis} />
      <p class="small">{basisText(w, speed.thresholds)}</p>
      <dl class="kpis">
        <Kpi
          label={w('kpi.second')}
          value={speed.best_second === null ? null : kmh(speed.best_second)}
          unit={w('kpi.kmh')}
          reason={speed.reason}
        />
        <Kpi
          label={w('kpi.mean')}
          value={speed.avg_speed === null ? null : kmh(speed.avg_speed)}
          unit={w('kpi.kmh')}
          reason={speed.reason}
        />
        <Kpi label={w('kpi.efforts')} value={speed.high_speed_efforts} unit="" reason={speed.reason} />
        <Kpi label={w('kpi.accelerations')} value={physical.accelerations} unit="" reason={physical.reason} />
        <Kpi label={w('kpi.decelerations')} value={physical.decelerations} unit="" reason={physical.reason} />
        <Kpi
          label={w('kpi.cadence')}
          value={movement.cadence ?? movement.cadence_mean}
          unit=""
          reason={movement.cadence_reason}
        />
        <Kpi
          label={w('kpi.asymmetry')}
          value={movement.knee_asymmetry_percent}
          unit={w('kpi.percent')}
          reason={movement.asymmetry_reason}
        />
        <Kpi label={w('kpi.seen')} value={Math.round(physical.seen_s)} unit="s" reason={physical.reason} />
      </dl>
      <Angles angles={movement.joint_angles} />
      <p class="small">{w('kpi.filter', { hz: speed.filter.cutoff_hz, delay: speed.filter.delay_s })}</p>
    </details>
  )
}

function Zones({ kpis: { distance } }: { kpis: Kpis }): JSX.Element {
  const w = useSessionWords()
  const { zones, reason } = distance
  const longest = Math.max(1, ...(zones ?? []).map(({ seconds }) => seconds))
  return (
    <table class="table zones">
      <caption>{w('kpi.zones')}</caption>
      <thead>
        <tr>
          <th scope="col">{w('kpi.zone')}</th>
          <th scope="col">{w('kpi.time')}</th>
          <th scope="col">{w('kpi.m')}</th>
        </tr>
      </thead>
      <tbody>
        {(zones ?? []).map(({ from, to, seconds, distance: metres }) => (
          <tr key={from}>
            <th scope="row">
              {to === null
                ? w('kpi.from', { from: kmh(from) })
                : w('kpi.between', { from: kmh(from), to: kmh(to) })}
              <span class="zone-bar" style={{ inlineSize: `${(seconds / longest) * 100}%` }} />
            </th>
            <td>{clockOf(seconds)}</td>
            <td>{Math.round(metres)}</td>
          </tr>
        ))}
        {zones === null && (
          <tr>
            <td colSpan={3}>
              {w('kpi.noZones')}: {reasonText(w, reason)}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  )
}

function Angles({ angles }: { angles: Kpis['technical']['movement']['joint_angles'] }): JSX.Element {
  const w = useSessionWords()
  const degrees = (value: number | null) => (value === null ? w('kpi.none') : `${Math.round(value)}°`)
  return (
    <>
      <table class="table">
        <caption>{w('kpi.angles')}</caption>
        <thead>
          <tr>
            <th scope="col">{w('kpi.joint')}</th>
            <th scope="col">{w('kpi.angleNow')}</th>
            <th scope="col">{w('kpi.angleRange')}</th>
          </tr>
        </thead>
        <tbody>
          {angles.map(({ name, now, min, max }) => (
            <tr key={name}>
              <th scope="row">{name.replaceAll('_', ' ')}</th>
              <td>{degrees(now)}</td>
              <td>
                {degrees(min)} – {degrees(max)}
              </td>
            </tr>
          ))}
          {angles.length === 0 && (
            <tr>
              <td colSpan={3}>{w('kpi.noAngles')}</td>
            </tr>
          )}
        </tbody>
      </table>
      <p class="small">{w('kpi.angleText')}</p>
    </>
  )
}

/** Where the borders between zones come from. */
export function basisText(w: SessionWords, thresholds: Kpis['speed']['thresholds']): string {
  const { basis, age, high_speed: fast, sprint } = thresholds
  const borders = { fast: kmh(fast), sprint: kmh(sprint) }
  if (basis === 'own_best_second') return w('kpi.basis.own_best_second', borders)
  if (age === null) return w('kpi.basis.unknownAge', borders)
  return basis === 'age_group' ? w('kpi.basis.age_group', { ...borders, age }) : w('kpi.basis.adult', borders)
}
