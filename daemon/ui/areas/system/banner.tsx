/** What every owner ought to know on any screen: a database that was brought back, and uploads that everybody can read. */
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { Notice } from '../../parts/feedback.tsx'
import { Link } from '../../parts/link.tsx'
import { createResource } from '../../state/resource.ts'
import type { HubState, Recovered } from './answers.ts'
import { words } from './words.ts'

export function HubBanner(): JSX.Element | null {
  const { api, router, clock } = useApp()
  const say = useWords(words)
  const state = useMemo(() => createResource(() => api.get<HubState>('/system')), [])
  const here = router.place.value.path === '/more/system'
  // Whoever comes from the System page may have read or ended it there.
  useEffect(() => {
    if (!here) void state.reload()
  }, [here])
  const { value } = state.state.value
  if (here || value === null) return null
  const look = (
    <Link to="/more/system" class="button compact">
      {say('banner.look')}
    </Link>
  )
  const { recovered, plain_uploads: plain } = value
  return (
    <>
      {recovered && (
        <Notice tone="watch" icon="warning" action={look}>
          <RecoveredText recovered={recovered} />
        </Notice>
      )}
      {plain && Date.parse(plain.expires_at) > clock.tick.value && (
        <Notice tone="alert" icon="warning" action={look}>
          <PlainText expiresAt={plain.expires_at} />
        </Notice>
      )}
    </>
  )
}

export function RecoveredText({ recovered }: { recovered: Recovered }): JSX.Element {
  const { format, zone } = useApp()
  const say = useWords(words)
  const when = format.moment(Date.parse(recovered.snapshot_at), zone)
  const { values_read_from_it: count, hours_lost: hours } = recovered
  return (
    <>
      {count === null ? say('recovered.reading', { when }) : say('recovered.text', { when, count })}
      {hours !== null && hours > 0 && <> {say('recovered.lost', { count: hours })}</>}
    </>
  )
}

export function PlainText({ expiresAt }: { expiresAt: string }): JSX.Element {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  return <>{say('plain.open', { when: format.moment(Date.parse(expiresAt), zone, clock.nowMs()) })}</>
}
