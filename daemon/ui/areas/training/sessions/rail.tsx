/** Beside the picture: what every player does, and everybody who is seen but not named yet. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Section } from '../../../parts/screen.tsx'
import type { LiveMetrics, PlayerMetrics, SeenTrack } from './answers.ts'
import { Kpi, MoreKpis, reasonText } from './kpis.tsx'
import { kmh, useNames, useSessionWords } from './sessions.ts'
import type { Meant } from './who.tsx'

/** The hub tells numbers twice a second and is asked every five: older ones are not of now. */
export const OLD_MS = 10_000

export interface RailProps {
  metrics: LiveMetrics
  onPerson: (person: Meant) => void
}

export function Rail({ metrics, onPerson }: RailProps): JSX.Element {
  const w = useSessionWords()
  const { clock, format } = useApp()
  const { tracks } = metrics
  const ageMs = clock.tick.value - Date.parse(metrics.at)
  const isOld = ageMs > OLD_MS
  return (
    <>
      <Players metrics={metrics} />
      <Section title={w('who.seen')}>
        {tracks.length === 0 ? (
          <p class="small">{w('who.noneSeen')}</p>
        ) : (
          <>
            {isOld && <p class="small">{w('who.seenAgo', { age: format.span(ageMs) })}</p>}
            <ul class={isOld ? 'rows old' : 'rows'}>
              {tracks.map((track) => (
                <li key={`${track.camera_id}/${track.track_id}`}>
                  <Track track={track} onPerson={onPerson} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Section>
    </>
  )
}

/** What every player does. */
export function Players({ metrics: { players, tracks } }: { metrics: LiveMetrics }): JSX.Element {
  const w = useSessionWords()
  return (
    <Section title={w('kpi.players')}>
      {players.length === 0 && <p class="small">{w('kpi.noPlayers')}</p>}
      <ul class="players">
        {players.map((player) => (
          <li key={player.player_id} class="player">
            <Player player={player} seen={tracks} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

interface PlayerProps {
  player: PlayerMetrics
  /** Everybody who is seen now. */
  seen: readonly SeenTrack[]
}

function Player({ player: { player_id: id, tracks, kpis }, seen }: PlayerProps): JSX.Element {
  const w = useSessionWords()
  const nameOf = useNames()
  const { speed, distance } = kpis
  // Whoever has numbers and is out of sight is not seen now, which is not the same as never.
  const isAway = tracks.length === 0 && speed.reason === null
  const reasonNow = seen.find((track) => track.player_id === id)?.reason ?? speed.reason
  return (
    <>
      <div class="player-head">
        <h3>{nameOf(id)}</h3>
        <span class="small">
          {tracks.length === 0
            ? w('kpi.notNow')
            : tracks.map(({ track_id: track }) => w('who.number', { track })).join(', ')}
        </span>
      </div>
      <dl class="kpis">
        <Kpi
          label={w('kpi.now')}
          value={speed.current_speed === null ? null : kmh(speed.current_speed)}
          unit={w('kpi.kmh')}
          reason={reasonNow}
          {...(isAway && { why: w('kpi.notNow') })}
        />
        <Kpi
          label={w('kpi.distance')}
          value={distance.total === null ? null : Math.round(distance.total)}
          unit={w('kpi.m')}
          reason={distance.reason}
        />
        <Kpi label={w('kpi.sprints')} value={speed.sprints} unit="" reason={speed.reason} />
        <Kpi
          label={w('kpi.max')}
          value={speed.max_speed === null ? null : kmh(speed.max_speed)}
          unit={w('kpi.kmh')}
          reason={speed.reason}
        />
      </dl>
      <MoreKpis kpis={kpis} />
    </>
  )
}

function Track({ track, onPerson }: { track: SeenTrack; onPerson: RailProps['onPerson'] }): JSX.Element {
  const w = useSessionWords()
  const nameOf = useNames()
  const { camera_id: cameraId, track_id: number, player_id: personId, speed, reason } = track
  return (
    <button type="button" class="row row-button" onClick={() => onPerson({ cameraId, trackId: number })}>
      <span class="row-text">
        <span class="row-title">{w('who.number', { track: number })}</span>
        <span class="row-more">
          <span>{personId === null ? w('who.unknown') : nameOf(personId)}</span>
          <span>{speed === null ? reasonText(w, reason) : `${kmh(speed)} ${w('kpi.kmh')}`}</span>
        </span>
      </span>
      <span>{w('who.assign')}</span>
    </button>
  )
}
