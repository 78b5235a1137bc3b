/** A new device at the door: it says its name, shows three words, waits to be let in. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp } from '../app.ts'
import type { ConnectAnswer, Connecting } from '../net/answers.ts'
import { ApiError } from '../net/api.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Empty, Notice } from '../parts/feedback.tsx'
import { Field } from '../parts/fields.tsx'
import { Link } from '../parts/link.tsx'
import { WALL_KEY } from '../state/pairing.ts'
import { DeviceKey, type NewDevice } from './device-key.tsx'
import { Words } from './door.tsx'
import { Entrance } from './shell.tsx'

const POLL_MS = 1500
const TITLES = {
  asking: 'join.title',
  waiting: 'join.waitingTitle',
  over: 'join.title',
  device: 'device.ready',
} as const

type Stage =
  | { kind: 'asking' }
  | { kind: 'waiting'; request: Connecting; isWall: boolean }
  | { kind: 'over'; why: 'denied' | 'expired' }
  /** The code was for a watch or a gateway: here is what to type into it. */
  | { kind: 'device'; device: NewDevice }

export function Join(): JSX.Element {
  const { t, session, router } = useApp()
  const stage = useSignal<Stage>({ kind: 'asking' })
  const { value: now } = stage
  const { value: who } = session.state
  return (
    <Entrance title={t(TITLES[now.kind])}>
      {now.kind === 'asking' && who.kind === 'signed-in' && (
        <Notice tone="watch" icon="user">
          {t('join.already', { name: who.user.name })}{' '}
          <Link to="/" class="text-link">
            {t('join.stay')}
          </Link>
        </Notice>
      )}
      {now.kind === 'asking' && <Ask stage={stage} />}
      {now.kind === 'waiting' && <Wait request={now.request} isWall={now.isWall} stage={stage} />}
      {now.kind === 'device' && <DeviceKey device={now.device} />}
      {now.kind === 'over' && (
        <Empty
          icon={now.why === 'denied' ? 'close' : 'refresh'}
          title={t(`join.${now.why}`)}
          text={t(`join.${now.why}Text`)}
        >
          <button
            type="button"
            class="button primary"
            onClick={() => {
              stage.value = { kind: 'asking' }
            }}
          >
            {t('join.again')}
          </button>
        </Empty>
      )}
      {now.kind === 'asking' && who.kind !== 'signed-in' && (
        <p class="small">
          {t('join.known')}{' '}
          <button type="button" class="text-link" onClick={() => router.go('/')}>
            {t('signIn.title')}
          </button>
        </p>
      )}
    </Entrance>
  )
}

function Ask({ stage }: { stage: Signal<Stage> }): JSX.Element {
  const { t, api, joinToken } = useApp()
  const name = useSignal('')
  const code = useSignal('')
  const action = useAction()
  const token = joinToken.value
  const digits = code.value.replace(/\D/g, '')
  return (
    <>
      <p class="lead">{t(token === null ? 'join.leadCode' : 'join.lead')}</p>
      <Form
        action={action}
        submit={t('join.submit')}
        disabled={name.value.trim() === '' || (token === null && digits.length !== 8)}
        explain={explain}
        onSubmit={async () => {
          const proof = token === null ? { code: digits } : { token }
          const connect = (type: 'phone' | 'wall') =>
            api.post<Connecting>(
              '/pairing/connect',
              { ...proof, device_name: name.value.trim(), device_type: type },
              { auth: 'none' },
            )
          let isWall = false
          const request = await connect('phone')
            // The code says what it is for.
            .catch((error: unknown) => {
              isWall = isForWall(error)
              if (isWall) return connect('wall')
              throw error
            })
            .catch((error: unknown) => {
              // A burnt token never works again; the code can still be typed.
              if (error instanceof ApiError && error.code.startsWith('PAIRING_')) joinToken.value = null
              throw error
            })
          joinToken.value = null
          stage.value = { kind: 'waiting', request, isWall }
        }}
      >
        {token === null && (
          <Field
            label={t('join.code')}
            value={code}
            code
            required
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={11}
            placeholder="1234 5678"
          />
        )}
        <Field
          label={t('join.name')}
          value={name}
          required
          maxLength={60}
          hint={t('join.nameHint')}
          autocomplete="off"
        />
      </Form>
    </>
  )

  function explain(error: ApiError): string | undefined {
    if (error.code === 'PAIRING_INVALID') return t(token === null ? 'join.wrongCode' : 'join.burnt')
    if (error.code === 'PAIRING_EXPIRED' || error.code === 'CONFLICT') return t('join.burnt')
    return undefined
  }
}

interface WaitProps {
  request: Connecting
  isWall: boolean
  stage: Signal<Stage>
}

function Wait({ request, isWall, stage }: WaitProps): JSX.Element {
  const { t, api, session, router, said } = useApp()
  useEffect(() => {
    let stopped = false
    let timer = 0
    const ask = async () => {
      const answer = await api
        .get<ConnectAnswer>(`/pairing/requests/${encodeURIComponent(request.id)}`, {
          auth: 'none',
          headers: { authorization: `Bearer ${request.poll_token}`, 'x-homefield-cookie': '1' },
        })
        .catch((error: unknown) => error)
      if (stopped) return
      if (isAnswer(answer) && (await settle(answer))) return
      if (answer instanceof ApiError && [401, 404, 410].includes(answer.status)) {
        stage.value = { kind: 'over', why: 'expired' }
        return
      }
      timer = window.setTimeout(() => void ask(), POLL_MS)
    }
    void ask()
    return () => {
      stopped = true
      window.clearTimeout(timer)
    }
  }, [request.id])

  return (
    <>
      <p class="lead">{t('join.compare')}</p>
      <Words words={request.words} />
      <p class="waiting" role="status">
        <span class="pulse" aria-hidden="true" />
        {t('join.waiting')}
      </p>
      <button
        type="button"
        class="button quiet"
        onClick={() => {
          stage.value = { kind: 'asking' }
        }}
      >
        {t('join.cancel')}
      </button>
    </>
  )

  async function settle(answer: ConnectAnswer): Promise<boolean> {
    if (answer.status === 'approved' && answer.tokens) {
      await session.adopt(answer.tokens)
      router.go('/', { replace: true })
      said.value = t('join.done')
      return true
    }
    if (answer.status === 'approved' && answer.device) {
      const { id, api_key: key } = answer.device
      if (isWall) {
        localStorage.setItem(WALL_KEY, key)
        router.go('/wall', { replace: true })
        return true
      }
      stage.value = { kind: 'device', device: { id, key, name: id, type: 'watch' } }
      return true
    }
    if (answer.status === 'waiting') return false
    // Approved without secrets: they were handed out before, which happens once.
    stage.value = { kind: 'over', why: answer.status === 'denied' ? 'denied' : 'expired' }
    return true
  }
}

function isForWall(error: unknown): boolean {
  return error instanceof ApiError && error.details.some(({ message }) => message === 'must be wall')
}

function isAnswer(answer: unknown): answer is ConnectAnswer {
  return typeof answer === 'object' && answer !== null && 'status' in answer && 'words' in answer
}
