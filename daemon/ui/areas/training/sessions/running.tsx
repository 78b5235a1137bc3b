/** A session while it runs: the picture, who is seen, what they do, marks, and the end. */
import { useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import type { LiveEvent } from '../../../net/socket.ts'
import { Confirm } from '../../../parts/action.tsx'
import { Failed, Notice, Skeleton } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { Link } from '../../../parts/link.tsx'
import { Screen } from '../../../parts/screen.tsx'
import { createResource, type Resource } from '../../../state/resource.ts'
import { useTraining } from '../training.ts'
import type { LiveMetrics, LiveStatus, TrainingSession } from './answers.ts'
import { Found } from './found.tsx'
import { Onlooker } from './onlooker.tsx'
import { AskingPhones, FilmingPhones } from './phones.tsx'
import { OLD_MS, Players, Rail } from './rail.tsx'
import { RecordingMark, RecordSwitch } from './record.tsx'
import { steers } from './rights.ts'
import { clockOf, useSessionWords, withPlayers } from './sessions.ts'
import { Stage } from './stage.tsx'
import { Tags } from './tags.tsx'
import { type Meant, Who } from './who.tsx'

/** The hub tells numbers only when it has looked at a picture; that a camera is away is asked for. */
const AGAIN_MS = 5_000

export function RunningSession({
  session,
  onEnd,
}: {
  session: TrainingSession
  onEnd: () => void
}): JSX.Element {
  const app = useApp()
  const { api, said } = app
  const w = useSessionWords()
  const mine = steers(app, session)
  const status = useStatus(session, mine, onEnd)
  const meant = useSignal<Meant | null>(null)
  const { value, error } = status.state.value
  const metrics = value?.metrics ?? null
  return (
    <Screen title={session.title ?? w('live.title')} back="/training/sessions">
      <div class="session-head">
        <Elapsed fromMs={Date.parse(session.started_at)} />
        {metrics && <RecordingMark isOn={metrics.recording} />}
        {mine && (
          <Confirm
            small
            label={w('live.stop')}
            title={w('live.stopTitle')}
            text={w('live.stopText')}
            confirm={w('live.stopDo')}
            onConfirm={async () => {
              await api.post('/live/stop', { session_id: session.id })
              said.value = w('live.stopped')
              onEnd()
            }}
          />
        )}
      </div>
      {!metrics && error && <Failed error={error} onRetry={() => void status.reload()} />}
      {!metrics && !error && <Skeleton rows={2} tall />}
      {metrics && !mine && (
        <div class="live-main">
          {session.may_film && (
            <Link to={`/training/sessions/${session.id}/film`} class="button wide">
              <Icon name="phone" size={20} />
              {w('phones.mine')}
            </Link>
          )}
          <Onlooker sessionId={session.id} metrics={metrics} />
          <Troubles metrics={metrics} />
          <Players metrics={metrics} />
        </div>
      )}
      {metrics && mine && (
        <div class="live">
          <div class="live-main">
            <AskingPhones
              sessionId={session.id}
              phones={metrics.phones}
              onDone={() => void status.reload()}
            />
            <Found sessionId={session.id} tracks={metrics.tracks} onDone={() => void status.reload()} />
            <Troubles metrics={metrics} mayCalibrate />
            <Stage
              topic={`session:${session.id}`}
              cameras={metrics.cameras}
              tracks={metrics.tracks}
              onPerson={(person) => {
                meant.value = person
              }}
            />
            <Tags sessionId={session.id} startedAtMs={Date.parse(session.started_at)} />
            <FilmingPhones
              sessionId={session.id}
              phones={metrics.phones}
              onDone={() => void status.reload()}
            />
            <RecordSwitch sessionId={session.id} metrics={metrics} onDone={() => void status.reload()} />
          </div>
          <div class="live-side">
            <Rail
              metrics={metrics}
              onPerson={(person) => {
                meant.value = person
              }}
            />
          </div>
        </div>
      )}
      {mine && (
        <Who
          meant={meant}
          sessionId={session.id}
          playerIds={metrics?.players.map(({ player_id: id }) => id) ?? []}
          onDone={() => void status.reload()}
        />
      )}
    </Screen>
  )
}

/** The newest numbers, told by events and asked for in between; who looks on is told of each player who is open to them. */
function useStatus(
  { id, participants }: TrainingSession,
  seesAll: boolean,
  onEnd: () => void,
): Resource<LiveStatus> {
  const { api, following } = useApp()
  const status = useMemo(
    () => createResource(() => api.get<LiveStatus>(`/live/${encodeURIComponent(id)}/status`)),
    [api, id],
  )
  useEffect(() => {
    const reload = async () => {
      if (document.visibilityState !== 'visible' || status.state.peek().loading) return
      await status.reload()
      if (status.state.peek().value?.state === 'stopped') onEnd()
    }
    const topics = seesAll
      ? [`session:${id}`]
      : participants.map(({ player_id: personId }) => `person:${personId}`)
    const unfollows = topics.map((topic) =>
      following.follow(topic, {
        onEvent(event) {
          const told = metricsIn(event)
          if (told?.session_id !== id) return
          const before = seesAll ? null : (status.state.peek().value?.metrics ?? null)
          status.set({ state: 'running', metrics: withPlayers(before, told) })
        },
        onGap: () => void reload(),
      }),
    )
    const timer = setInterval(() => void reload(), AGAIN_MS)
    void reload()
    return () => {
      for (const unfollow of unfollows) unfollow()
      clearInterval(timer)
    }
  }, [status, seesAll])
  return status
}

function metricsIn({ type, data }: LiveEvent): LiveMetrics | null {
  if (type !== 'metrics_update' || typeof data !== 'object' || data === null) return null
  // The hub made it to its own schema, the same that it answers a request with.
  return 'players' in data && 'tracks' in data && 'cameras' in data ? (data as LiveMetrics) : null
}

function Elapsed({ fromMs }: { fromMs: number }): JSX.Element {
  const { clock } = useApp()
  const w = useSessionWords()
  const time = useComputed(() => clockOf((clock.tick.value - fromMs) / 1000))
  return <span class="session-time">{w('live.elapsed', { time: time.value })}</span>
}

/** What keeps numbers from being whole, each with what to do. */
function Troubles({
  metrics,
  mayCalibrate = false,
}: {
  metrics: LiveMetrics
  mayCalibrate?: boolean
}): JSX.Element {
  const { clock, format } = useApp()
  const w = useSessionWords()
  const { cameras } = useTraining()
  const nameOf = (id: string) =>
    cameras.state.value.value?.find((one) => one.id === id)?.name ?? w('live.someCamera')
  const ageMs = clock.tick.value - Date.parse(metrics.at)
  return (
    <>
      {metrics.cameras.map(({ camera_id: id, status, calibrated, moved }) => (
        <div key={id} class="troubles">
          {status !== 'online' && (
            <Notice tone="alert" icon="offline" live>
              {w('live.away', { name: nameOf(id) })}
            </Notice>
          )}
          {(!calibrated || moved) && (
            <Notice
              tone="watch"
              icon="warning"
              live
              action={
                mayCalibrate && (
                  <Link to={`/training/cameras/${id}/calibrate`} class="button compact">
                    {w('live.toCalibration')}
                  </Link>
                )
              }
            >
              {w(moved ? 'live.moved' : 'live.noMetres', { name: nameOf(id) })}
            </Notice>
          )}
        </div>
      ))}
      {metrics.lost > 0 && (
        <Notice tone="alert" icon="warning" live>
          {w('live.lost', { seconds: Math.ceil(metrics.lost / 10) })}
        </Notice>
      )}
      {ageMs > OLD_MS && (
        <Notice tone="watch" icon="offline" live>
          {w('live.stale', { age: format.span(ageMs) })}
        </Notice>
      )}
      {metrics.pictures === 0 && <p class="small">{w('live.waiting')}</p>}
    </>
  )
}
