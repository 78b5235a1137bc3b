/** Cameras that answer in the network (ONVIF): find one, sign in, choose one of its pictures, look through it. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Empty, Show } from '../../../parts/feedback.tsx'
import { Field, PasswordField } from '../../../parts/fields.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { createResource } from '../../../state/resource.ts'
import type { FoundCamera, FoundStream } from '../answers.ts'
import { AreaIcon } from '../icons.tsx'
import { useTraining } from '../training.ts'
import { type Draft, signIn } from './draft.ts'
import { LookResult, useLook } from './look.tsx'

const LIMIT_MS = 60_000

export interface SeekStepProps {
  onBack: () => void
  onType: (url: string) => void
  onReady: (draft: Draft) => void
}

export function SeekStep({ onBack, onType, onReady }: SeekStepProps): JSX.Element {
  const { t, api } = useApp()
  const { w } = useTraining()
  const chosen = useSignal<FoundCamera | null>(null)
  const found = useMemo(
    () =>
      createResource(async () => {
        const signal = AbortSignal.timeout(LIMIT_MS)
        return (await api.post<{ found: FoundCamera[] }>('/cameras/discover', {}, { signal })).found
      }),
    [api],
  )
  useEffect(() => void found.reload(), [found])
  if (chosen.value)
    return (
      <StreamsOf
        camera={chosen.value}
        onBack={() => {
          chosen.value = null
        }}
        onType={onType}
        onReady={onReady}
      />
    )
  return (
    <>
      <h2>{w('seek.title')}</h2>
      <Show of={found} loading={<Searching />}>
        {(cameras) =>
          cameras.length === 0 ? (
            <Empty icon="camera" title={w('seek.none')} text={w('seek.noneText')}>
              <button type="button" class="button primary" onClick={() => onType('')}>
                {w('seek.type')}
              </button>
            </Empty>
          ) : (
            <ul class="rows">
              {cameras.map((camera) => (
                <li key={camera.xaddr}>
                  <button type="button" class="row row-button" onClick={() => (chosen.value = camera)}>
                    <Icon name="camera" />
                    <span class="row-text">
                      <span class="row-title">{camera.name}</span>
                      <span class="row-more">
                        {camera.address}
                        {camera.hardware !== null && <span>{camera.hardware}</span>}
                      </span>
                    </span>
                    <Icon name="next" size={20} />
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Show>
      <div class="form-actions">
        <button
          type="button"
          class="button"
          disabled={found.state.value.loading}
          onClick={() => {
            found.clear()
            void found.reload()
          }}
        >
          <AreaIcon name="search" size={20} />
          {w('seek.again')}
        </button>
        <button type="button" class="button quiet" onClick={onBack}>
          {t('nav.back')}
        </button>
      </div>
    </>
  )
}

function Searching(): JSX.Element {
  const { w } = useTraining()
  return (
    <div class="looking" role="status">
      <div class="looking-bar" aria-hidden="true" />
      <p>{w('seek.searching')}</p>
    </div>
  )
}

interface StreamsOfProps extends SeekStepProps {
  camera: FoundCamera
}

function StreamsOf({ camera, onBack, onType, onReady }: StreamsOfProps): JSX.Element {
  const { t, api } = useApp()
  const { w } = useTraining()
  const username = useSignal('')
  const password = useSignal('')
  const streams = useSignal<FoundStream[] | null>(null)
  const stream = useSignal<FoundStream | null>(null)
  const asking = useAction()
  const look = useLook()
  const typed = { username: username.value.trim(), password: password.value }
  const state = look.state.value
  const looked = state.kind === 'done' ? state.looked : null
  const url = stream.value?.uri ?? ''
  const back = (
    <button type="button" class="button quiet" onClick={onBack}>
      {t('nav.back')}
    </button>
  )
  if (streams.value === null)
    return (
      <>
        <h2>{w('seek.signIn', { name: camera.name })}</h2>
        <Form
          action={asking}
          submit={w('seek.streams')}
          aside={back}
          onSubmit={async () => {
            const body = { xaddr: camera.xaddr, ...signIn(typed) }
            const signal = AbortSignal.timeout(LIMIT_MS)
            const told = await api.post<{ streams: FoundStream[] }>('/cameras/discover/streams', body, {
              signal,
            })
            streams.value = told.streams
          }}
        >
          <Field
            label={w('address.user')}
            value={username}
            type="address"
            maxLength={128}
            autocomplete="off"
          />
          <PasswordField
            label={w('address.password')}
            value={password}
            autocomplete="off"
            hint={w('address.secret')}
            required={false}
          />
        </Form>
      </>
    )
  return (
    <>
      <h2>{w(streams.value.length === 0 ? 'seek.noStreams' : 'seek.choose')}</h2>
      <ul class="rows">
        {streams.value.map((one) => (
          <li key={one.uri}>
            <button
              type="button"
              class="row row-button"
              aria-pressed={one === stream.value}
              disabled={state.kind === 'looking'}
              onClick={() => {
                stream.value = one
                void asking.run(() => look.start({ url: one.uri, ...signIn(typed) }))
              }}
            >
              <Icon name="camera" />
              <span class="row-text">
                <span class="row-title">{one.name}</span>
                <span class="row-more">{streamText(w, one)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <LookResult look={look} />
      <div class="form-actions">
        {looked && (
          <button
            type="button"
            class={looked.ok ? 'button primary' : 'button'}
            onClick={() => onReady({ source: { kind: 'fetched', url, ...typed }, looked, name: camera.name })}
          >
            {looked.ok ? t('action.continue') : w('address.keepAnyway')}
          </button>
        )}
        <button type="button" class="button" onClick={() => onType(url)}>
          {w('seek.type')}
        </button>
        {back}
      </div>
    </>
  )
}

function streamText(w: ReturnType<typeof useTraining>['w'], { codec, width, height }: FoundStream): string {
  if (codec === null || width === null || height === null) return w('seek.streamUnknown')
  return w('seek.stream', { codec, width: String(width), height: String(height) })
}
