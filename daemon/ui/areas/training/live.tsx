/** One camera live: its picture with what the models see, how old both are, and who looks. */
import type { ComponentChildren, JSX } from 'preact'
import { useApp } from '../../app.ts'
import { Notice, Show, Skeleton } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import type { Camera, CameraVision } from './answers.ts'
import { Condition, ConditionAge, whyDark } from './condition.tsx'
import { Missing } from './missing.tsx'
import { mayChange, useTraining } from './training.ts'
import { Viewer } from './viewer.tsx'

export function Live({ id }: { id: string }): JSX.Element {
  const { cameras } = useTraining()
  return (
    <Show of={cameras} loading={<Loading />}>
      {(all) => {
        const camera = all.find((one) => one.id === id)
        return camera ? <LiveCamera camera={camera} /> : <Missing />
      }}
    </Show>
  )
}

function Loading(): JSX.Element {
  const { t } = useApp()
  return (
    <Screen title={t('state.loading')} back="/training">
      <Skeleton rows={1} tall />
    </Screen>
  )
}

function LiveCamera({ camera }: { camera: Camera }): JSX.Element {
  const app = useApp()
  const { w } = useTraining()
  const own = mayChange(app, camera)
  return (
    <Screen
      title={camera.name}
      back="/training"
      actions={
        own && (
          <Link to={`/training/cameras/${camera.id}/edit`} class="icon-button" aria-label={w('live.edit')}>
            <Icon name="edit" />
          </Link>
        )
      }
    >
      <div class="live">
        <div class="live-main">
          {camera.status === 'online' ? <Viewer camera={camera} /> : <Dark camera={camera} />}
          {own && camera.kind === 'phone' && camera.status !== 'online' && camera.enabled && (
            <Link to={`/training/cameras/${camera.id}/film`} class="button primary">
              <Icon name="phone" size={20} />
              {w('live.film')}
            </Link>
          )}
        </div>
        <div class="live-side">
          <SeenBy camera={camera} />
          {own && (
            <>
              <Link to={`/training/cameras/${camera.id}/calibrate`} class="button wide">
                {w('live.calibrate')}
              </Link>
              <p class="small">{w('live.calibrateText')}</p>
            </>
          )}
          <Facts camera={camera} />
        </div>
      </div>
    </Screen>
  )
}

/** Instead of the picture: what is wrong, and what to do. */
function Dark({ camera }: { camera: Camera }): JSX.Element {
  const { w } = useTraining()
  const why = whyDark(w, camera)
  return (
    <div class="viewer dark" role="status">
      <div class="viewer-words">
        <Condition camera={camera} />
        <span class="viewer-age">
          <ConditionAge camera={camera} />
        </span>
        {why && (
          <>
            <strong>{why.what}</strong>
            <span>{why.todo}</span>
          </>
        )}
        {camera.status === 'offline' && camera.reason && (
          <small>{w('reason.hubSays', { message: camera.reason.message })}</small>
        )}
      </div>
    </div>
  )
}

function SeenBy({ camera }: { camera: Camera }): JSX.Element {
  const { w } = useTraining()
  const { vision, analyse } = camera
  return (
    <Section title={w('live.seenBy')}>
      {!analyse || vision === null || vision.state === 'off' ? (
        <p class="small">{w('live.off')}</p>
      ) : (
        <>
          {vision.state === 'starting' && <p class="small">{w('live.starting')}</p>}
          {vision.state === 'failed' && (
            <Notice tone="alert" icon="warning">
              {w('live.failed')} {vision.note}
            </Notice>
          )}
          <VisionFacts vision={vision} />
          {vision.note !== null && vision.state !== 'failed' && (
            <Notice tone="plain" icon="eye">
              {vision.note}
              <br />
              <Link to="/training/models" class="text-link">
                {w('live.better')}
              </Link>
            </Notice>
          )}
        </>
      )}
    </Section>
  )
}

function VisionFacts({ vision }: { vision: CameraVision }): JSX.Element {
  const { w } = useTraining()
  const named = (model: CameraVision['pose']) =>
    model === null ? w('live.noModel') : [model.name, model.version].filter((part) => part !== null).join(' ')
  const { age_ms_p50: half, age_ms_p99: most, fps } = vision
  const facts: [string, ComponentChildren][] = [
    [w('live.detector'), named(vision.detector)],
    [w('live.pose'), named(vision.pose)],
  ]
  if (fps !== null && fps > 0) facts.push([w('live.looks'), Math.round(fps * 10) / 10])
  if (half !== null && most !== null)
    facts.push([w('live.lookAge'), w('live.lookAgeText', { half: Math.round(half), most: Math.round(most) })])
  return <FactList facts={facts} />
}

function Facts({ camera }: { camera: Camera }): JSX.Element {
  const { w } = useTraining()
  const { stream } = camera
  const facts: [string, ComponentChildren][] = [[w('live.source'), w(`kind.${camera.kind}`)]]
  if (stream) {
    const size = stream.width !== null && stream.height !== null ? `, ${stream.width} × ${stream.height}` : ''
    facts.push([w('live.stream'), `${w(`codec.${stream.codec}`)}${size}`])
    if (stream.fps !== null) facts.push([w('found.fps'), Math.round(stream.fps * 10) / 10])
    facts.push([w('found.clock'), w(`clock.${stream.clock}`)])
  }
  facts.push([w('live.restarts'), camera.restarts])
  return (
    <Section title={w('live.facts')}>
      <FactList facts={facts} />
      {camera.url !== null && <p class="small live-url">{camera.url}</p>}
    </Section>
  )
}

function FactList({ facts }: { facts: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
