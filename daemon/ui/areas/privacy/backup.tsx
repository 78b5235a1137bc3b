/** Backups: the key they open with, one more now, and those that are there. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { sizeText } from '../../i18n/size.ts'
import { Confirm, CopyLine, ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { createResource } from '../../state/resource.ts'
import type { Backup, Backups } from './answers.ts'
import { download, untilDone } from './job.ts'
import { words } from './words.ts'

export function BackupPage(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const fresh = useSignal<string | null>(null)
  const state = useMemo(() => createResource(() => api.get<Backups>('/backup')), [])
  useEffect(() => void state.reload(), [])
  const makeKey = async () => {
    const made = await api.post<{ recovery_key: string }>('/backup/key')
    fresh.value = made.recovery_key
    await state.reload()
  }
  return (
    <Screen title={say('backup.title')} back="/more/privacy" narrow>
      <p class="lead">{say('backup.lead')}</p>
      <div class="privacy">
        {fresh.value !== null && <FreshKey value={fresh.value} onKept={() => (fresh.value = null)} />}
        <Show of={state}>
          {({ key, backups }) =>
            key === null ? (
              <NoKey onMake={makeKey} />
            ) : (
              <>
                <Now onDone={() => state.reload()} />
                <List backups={backups} />
                <Disk />
                <Section title={say('backup.words')}>
                  <p>
                    <strong>{key.words.join(' · ')}</strong>
                  </p>
                  <p class="small">{say('backup.wordsText')}</p>
                  <Confirm
                    label={say('backup.newKey')}
                    icon="key"
                    title={say('backup.newKeyTitle')}
                    text={say('backup.newKeyText')}
                    confirm={say('backup.newKey')}
                    onConfirm={makeKey}
                  />
                </Section>
              </>
            )
          }
        </Show>
      </div>
    </Screen>
  )
}

/** Whether a thief of the box could read it. */
function Disk(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const system = useMemo(
    () => createResource(() => api.get<{ storage: { disk_encrypted: boolean | null } }>('/system')),
    [],
  )
  useEffect(() => void system.reload(), [])
  const { value } = system.state.value
  const encrypted = value?.storage.disk_encrypted
  return (
    <Section title={say('disk.title')}>
      {typeof encrypted === 'boolean' && (
        <StateMark state={encrypted ? 'ok' : 'watch'} word={say(encrypted ? 'disk.yes' : 'disk.no')} />
      )}
      {encrypted !== true && <p class="small">{say(encrypted === false ? 'disk.noText' : 'disk.unknown')}</p>}
    </Section>
  )
}

function NoKey({ onMake }: { onMake: () => Promise<void> }): JSX.Element {
  const { t } = useApp()
  const say = useWords(words)
  const action = useAction()
  return (
    <Section title={say('backup.noKey')}>
      <p>{say('backup.noKeyText')}</p>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <button
        type="button"
        class="button primary"
        disabled={action.busy.value}
        onClick={() => void action.run(onMake)}
      >
        <Icon name="key" size={20} />
        {say('backup.makeKey')}
      </button>
    </Section>
  )
}

function FreshKey({ value, onKept }: { value: string; onKept: () => void }): JSX.Element {
  const say = useWords(words)
  return (
    <Section title={say('backup.keyTitle')}>
      <Notice tone="watch" icon="key">
        {say('backup.keyText')}
      </Notice>
      <CopyLine label={say('backup.key')} value={value} />
      <button type="button" class="button" onClick={onKept}>
        {say('backup.kept')}
      </button>
    </Section>
  )
}

function Now({ onDone }: { onDone: () => Promise<void> }): JSX.Element {
  const { t, api, said } = useApp()
  const say = useWords(words)
  const action = useAction()
  const percent = useSignal<number | null>(null)
  const run = async () => {
    const { job_id: jobId } = await api.post<{ job_id: string }>('/backup', {})
    try {
      await untilDone(api, jobId, (now) => {
        percent.value = now
      })
      said.value = say('backup.done')
    } finally {
      percent.value = null
      await onDone()
    }
  }
  const { value: error } = action.error
  return (
    <>
      {error && (
        <ErrorLine>
          {error.code === 'JOB_FAILED' ? say('job.failed', { reason: error.message }) : errorText(t, error)}
        </ErrorLine>
      )}
      <button
        type="button"
        class="button primary wide"
        disabled={action.busy.value}
        onClick={() => void action.run(run)}
      >
        {percent.value === null ? say('backup.now') : say('backup.working', { percent: percent.value })}
      </button>
    </>
  )
}

function List({ backups }: { backups: readonly Backup[] }): JSX.Element {
  const say = useWords(words)
  return (
    <Section title={say('backup.last')}>
      {backups.length === 0 && <p>{say('backup.never')}</p>}
      <ul class="rows">
        {backups.map((one) => (
          <One key={one.id} one={one} />
        ))}
      </ul>
      <p class="small">{say('backup.restore')}</p>
    </Section>
  )
}

function One({ one }: { one: Backup }): JSX.Element {
  const { t, api, format, zone, locale } = useApp()
  const say = useWords(words)
  const action = useAction()
  const how = say(one.sealed_for === 'key' ? 'backup.byKey' : 'backup.byPassphrase')
  return (
    <li class="row">
      <Icon name="box" />
      <span class="row-text">
        <span class="row-title">{format.moment(Date.parse(one.at), zone)}</span>
        <span class="row-more">{say('backup.line', { size: sizeText(one.bytes, locale), how })}</span>
        {!one.on_this_box && <span class="row-more">{say('backup.gone')}</span>}
        {one.erased_since > 0 && (
          <span class="row-more">{say('backup.erased', { count: one.erased_since })}</span>
        )}
        {action.error.value && <span class="row-more">{errorText(t, action.error.value)}</span>}
      </span>
      {one.on_this_box && (
        <button
          type="button"
          class="button compact"
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              const { url } = await api.post<{ url: string }>(`/backup/${encodeURIComponent(one.id)}/ticket`)
              download(url)
            })
          }
        >
          {say('backup.fetch')}
        </button>
      )}
    </li>
  )
}
