/** What is shown instead of, or beside, the content: loading, nothing there, failed, and notices. */
import type { ComponentChildren, JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Key, Translate } from '../i18n/translate.ts'
import type { ApiError } from '../net/api.ts'
import type { Loadable, Resource } from '../state/resource.ts'
import { Icon, type IconName } from './icon.tsx'

/** Codes with a sentence of our own; for the others the hub's message already says what to do. */
const KNOWN_CODES = [
  'OFFLINE',
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'TOKEN_REUSED',
  'FORBIDDEN',
  'NOT_FOUND',
  'RATE_LIMITED',
  'INTERNAL',
  'OVERLOADED',
  'DISK_FULL',
  'SHUTTING_DOWN',
  'PAIRING_INVALID',
  'PAIRING_EXPIRED',
  'STEP_UP_REQUIRED',
  'IN_PROGRESS',
] as const

export function errorText(t: Translate, error: ApiError): string {
  const known = KNOWN_CODES.find((code) => code === error.code)
  if (known !== undefined) return t(`error.${known}` as Key & `error.${typeof known}`)
  const [detail] = error.details
  // The hub's message holds the first detail already.
  return detail === undefined || error.message.includes(detail.message)
    ? error.message
    : `${error.message} ${detail.message}`.trim()
}

export function Skeleton({ rows = 3, tall = false }: { rows?: number; tall?: boolean }): JSX.Element {
  const { t } = useApp()
  return (
    <div class="skeletons" role="status" aria-label={t('state.loading')}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class={tall ? 'skeleton tall' : 'skeleton'} />
      ))}
    </div>
  )
}

export interface EmptyProps {
  icon: IconName
  title: string
  text: string
  children?: ComponentChildren
}

export function Empty({ icon, title, text, children }: EmptyProps): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={32} />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  )
}

export function Failed({ error, onRetry }: { error: ApiError; onRetry: () => void }): JSX.Element {
  const { t } = useApp()
  const missing = error.code === 'NOT_FOUND' || error.code === 'FORBIDDEN'
  return (
    <div class="empty" role="alert">
      <span class="empty-icon">
        <Icon name={error.code === 'OFFLINE' ? 'offline' : missing ? 'shield' : 'warning'} size={32} />
      </span>
      <h2>{t(error.code === 'OFFLINE' ? 'failed.offline' : missing ? 'failed.missing' : 'failed.title')}</h2>
      <p>{errorText(t, error)}</p>
      <button type="button" class="button" onClick={onRetry}>
        <Icon name="refresh" size={20} />
        {t('action.retry')}
      </button>
    </div>
  )
}

export interface NoticeProps {
  tone: 'plain' | 'watch' | 'alert'
  icon: IconName
  children: ComponentChildren
  action?: ComponentChildren
  /** Read aloud when it appears. */
  live?: boolean
}

export function Notice({ tone, icon, children, action, live = false }: NoticeProps): JSX.Element {
  return (
    <div class={`notice notice-${tone}`} role={live ? 'status' : undefined}>
      <Icon name={icon} size={22} />
      <div class="notice-text">{children}</div>
      {action}
    </div>
  )
}

export interface ShowProps<Value> {
  of: Resource<Value>
  /** Drawn while the first answer is under way. */
  loading?: ComponentChildren
  children: (value: Value) => ComponentChildren
}

/** One resource in its four states; what is already known stays on screen while it is fetched again. */
export function Show<Value>({ of, loading, children }: ShowProps<Value>): JSX.Element {
  const { value, error }: Loadable<Value> = of.state.value
  if (value !== null) return <>{children(value)}</>
  if (error) return <Failed error={error} onRetry={() => void of.reload()} />
  return <>{loading ?? <Skeleton />}</>
}
