/** A session that has ended: what happened when, how fast, where, and side by side, with one moment through all of it. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Confirm } from '../../../parts/action.tsx'
import { Show, Skeleton } from '../../../parts/feedback.tsx'
import { Select } from '../../../parts/fields.tsx'
import { Screen, Section } from '../../../parts/screen.tsx'
import type { Calibration } from '../calibration/answers.ts'
import { pathOf } from '../training.ts'
import type { Compared, Heat, Paths, Speed, Timeline, TrainingSession } from './answers.ts'
import { CompareTable } from './compare.tsx'
import { Files } from './files.tsx'
import { HeatFigure, PathsFigure } from './places.tsx'
import { Rate } from './rate.tsx'
import { changes, rated, steers } from './rights.ts'
import { clockOf, sessionPath, useAnswer, useNames, useSessionWords } from './sessions.ts'
import { SpeedFigure } from './speed-figure.tsx'
import { MarkMoment } from './tags.tsx'
import { Happened } from './timeline.tsx'

const EVERYBODY = ''
/** Points of a path; more would not be seen on a screen. */
const POINTS = 400

export function Review({ session }: { session: TrainingSession }): JSX.Element {
  const app = useApp()
  const { format, clock, zone } = app
  const w = useSessionWords()
  const nameOf = useNames()
  const players = session.participants.map(({ player_id: id }) => id)
  const player = useSignal(players.length === 1 ? (players[0] ?? EVERYBODY) : EVERYBODY)
  const fromMs = Date.parse(session.started_at)
  const toMs = session.ended_at === null ? fromMs : Date.parse(session.ended_at)
  const moment = useSignal(fromMs)
  // Grows when what is shown was changed here.
  const marks = useSignal(0)
  const ratings = useSignal(0)
  const path = sessionPath(session.id)
  const isMine = steers(app, session)
  const mayChange = changes(app, session)
  const mayRate = rated(session)
  return (
    <Screen title={session.title ?? w('list.untitled')} back="/training/sessions">
      <p class="small">
        {[
          w(`list.type.${session.session_type}`),
          format.moment(fromMs, zone, clock.tick.value),
          w('review.lasted', { span: clockOf((toMs - fromMs) / 1000) }),
        ].join(' · ')}
      </p>
      <Section title={w('review.timeline')}>
        <Kept<Timeline> key={marks.value} path={`${path}/timeline`}>
          {(timeline) => (
            <Happened
              {...{ timeline, fromMs, toMs, moment, path }}
              mayUnmark={isMine}
              onChange={() => {
                marks.value += 1
              }}
            />
          )}
        </Kept>
        {isMine && (
          <MarkMoment
            {...{ path, moment, fromMs, players }}
            onDone={() => {
              marks.value += 1
            }}
          />
        )}
      </Section>
      {players.length > 0 && (
        <div class="review-who">
          <Select
            label={w('review.of')}
            value={player}
            options={[
              { value: EVERYBODY, label: w('review.everybody') },
              ...players.map((id) => ({ value: id, label: nameOf(id) })),
            ]}
          />
        </div>
      )}
      <Section title={w('review.speed')}>
        {player.value === EVERYBODY ? (
          <p class="small">{w('review.choosePlayer')}</p>
        ) : (
          <Kept<Speed> path={`${path}/speed?player_id=${player.value}&points=${POINTS}`}>
            {(speed) => (
              <SpeedFigure speed={speed} name={nameOf(player.value)} {...{ fromMs, toMs, moment }} />
            )}
          </Kept>
        )}
      </Section>
      <Places path={path} playerId={player.value} moment={moment} />
      <Section title={w('review.compare')}>
        <Kept<Compared> key={ratings.value} path={`${path}/compare`}>
          {({ players: compared }) => <CompareTable players={compared} />}
        </Kept>
      </Section>
      {(isMine || mayRate.length > 0) && (
        <Section title={w('rate.title')}>
          <Rate
            path={path}
            playerIds={mayRate}
            onDone={() => {
              ratings.value += 1
            }}
          />
        </Section>
      )}
      <Section title={w('files.title')}>
        <Files path={path} fromMs={fromMs} mayAdd={mayChange} />
      </Section>
      {mayChange && <Remove path={path} />}
    </Screen>
  )
}

/** One answer of the hub in its four states. */
function Kept<Value>({
  path,
  children,
}: {
  path: string
  children: (value: Value) => JSX.Element
}): JSX.Element {
  return (
    <Show of={useAnswer<Value>(path)} loading={<Skeleton rows={1} tall />}>
      {children}
    </Show>
  )
}

interface PlacesProps {
  path: string
  playerId: string
  moment: { value: number }
}

function Places({ path, playerId, moment }: PlacesProps): JSX.Element {
  const w = useSessionWords()
  const only = playerId === EVERYBODY ? '' : `&player_id=${playerId}`
  return (
    <Kept<Paths> key={playerId} path={`${path}/tracks?points=${POINTS}${only}`}>
      {(paths) => (
        <WithPitch paths={paths}>
          {(pitch) => (
            <div class="places">
              <Section title={w('review.heat')}>
                <Kept<Heat> path={`${path}/heatmap?cell_m=2${only}`}>
                  {(heat) => <HeatFigure heat={heat} pitch={pitch} />}
                </Kept>
              </Section>
              <Section title={w('review.tracks')}>
                <PathsFigure paths={paths} pitch={pitch} moment={moment.value} />
              </Section>
            </div>
          )}
        </WithPitch>
      )}
    </Kept>
  )
}

/** The pitch that the first camera was calibrated to; null when that is not known any more. */
function WithPitch({
  paths,
  children,
}: {
  paths: Paths
  children: (pitch: Calibration['pitch'] | null) => JSX.Element
}): JSX.Element {
  const [first] = paths.tracks
  return first ? <PitchOf cameraId={first.camera_id}>{children}</PitchOf> : children(null)
}

function PitchOf({
  cameraId,
  children,
}: {
  cameraId: string
  children: (pitch: Calibration['pitch'] | null) => JSX.Element
}): JSX.Element {
  const { value, error } = useAnswer<Calibration>(`${pathOf(cameraId)}/calibration`).state.value
  if (value === null && error === null) return <Skeleton rows={1} tall />
  return children(value?.pitch ?? null)
}

function Remove({ path }: { path: string }): JSX.Element {
  const { api, said, router } = useApp()
  const w = useSessionWords()
  return (
    <div class="danger-zone">
      <Confirm
        label={w('review.remove')}
        title={w('review.removeTitle')}
        text={w('review.removeText')}
        confirm={w('review.remove')}
        onConfirm={async () => {
          await api.remove(path)
          said.value = w('review.removed')
          router.go('/training/sessions', { replace: true })
        }}
      />
    </div>
  )
}
