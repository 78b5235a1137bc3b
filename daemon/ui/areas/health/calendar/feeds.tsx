/** Addresses under which other calendars show this plan: made, told once, revoked. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../../app.ts'
import { Confirm, CopyLine, ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText } from '../../../parts/feedback.tsx'
import { Section } from '../../../parts/screen.tsx'
import { useHealth } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import type { Feed } from './answers.ts'
import { words } from './words.ts'

export function Feeds(): JSX.Element {
  const { api, t, format, clock } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const action = useAction()
  const address = useSignal<string | null>(null)
  const kept = useKept(`feeds.${person.id}`, 'all', () => api.get<Feed[]>('/calendar/feeds'))
  return (
    <Section title={say('feed.title')}>
      <p class="small">{say('feed.lead')}</p>
      {address.value !== null && (
        <>
          <CopyLine label={say('feed.address')} value={address.value} />
          <p class="small">
            {say('feed.once')} {say('feed.trust')}
          </p>
        </>
      )}
      <Known of={kept}>
        {(feeds) => {
          const own = feeds.filter(({ player_id: id }) => id === person.id)
          return own.length === 0 ? null : (
            <ul class="rows">
              {own.map(({ id, created_at: made }) => (
                <li key={id} class="row">
                  <span class="row-text">
                    <span class="row-title">
                      {say('feed.made', { when: format.moment(Date.parse(made), undefined, clock.nowMs()) })}
                    </span>
                  </span>
                  <Confirm
                    small
                    label={say('feed.revoke')}
                    title={say('feed.revokeTitle')}
                    text={say('feed.revokeText')}
                    confirm={say('feed.revoke')}
                    onConfirm={async () => {
                      await api.remove(`/calendar/feeds/${encodeURIComponent(id)}`)
                      address.value = null
                      await kept.reload()
                    }}
                  />
                </li>
              ))}
            </ul>
          )
        }}
      </Known>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <button
        type="button"
        class="button"
        disabled={action.busy.value}
        onClick={() =>
          void action.run(async () => {
            const { path } = await api.post<{ path: string }>('/calendar/feeds', { player_id: person.id })
            address.value = new URL(path, window.location.origin).href
            await kept.reload()
          })
        }
      >
        {say('feed.make')}
      </button>
    </Section>
  )
}
