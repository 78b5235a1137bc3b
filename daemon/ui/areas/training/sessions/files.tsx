/** Video and files of a session: listed, opened here where the browser can, saved, added. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useId } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText, Show, Skeleton } from '../../../parts/feedback.tsx'
import { useTraining } from '../training.ts'
import type { Attached } from './answers.ts'
import { Recorded } from './recorded.tsx'
import { clockOf, useAnswer, useSessionWords } from './sessions.ts'

export interface FilesProps {
  /** Of the session, below `/api/v1`. */
  path: string
  fromMs: number
  /** Whether the one who looks may add some. */
  mayAdd: boolean
}

const MB = 1e6

export function Files({ path, fromMs, mayAdd }: FilesProps): JSX.Element {
  const { t, said } = useApp()
  const w = useSessionWords()
  const { ask } = useTraining()
  const id = useId()
  const files = useAnswer<Attached[]>(`${path}/attachments`)
  const action = useAction()
  const { value: error } = action.error
  const add = (file: File) =>
    void action.run(async () => {
      const contentType = file.type === '' ? 'application/octet-stream' : file.type
      const to = `${path}/attachments?name=${encodeURIComponent(file.name.slice(0, 200))}`
      await ask(to, { method: 'POST', body: file, contentType })
      said.value = w('files.added', { name: file.name })
      await files.reload()
    })
  return (
    <>
      <Show of={files} loading={<Skeleton rows={1} />}>
        {(all) =>
          all.length === 0 ? (
            <p class="small">{w('files.none')}</p>
          ) : (
            <ul class="rows">
              {all.map((file) => (
                <li key={file.id}>
                  <OneFile path={path} file={file} fromMs={fromMs} />
                </li>
              ))}
            </ul>
          )
        }
      </Show>
      {mayAdd && (
        <label for={id} class="button file-button" aria-busy={action.busy.value}>
          {w(action.busy.value ? 'files.adding' : 'files.add')}
          <input
            id={id}
            class="file-input"
            type="file"
            disabled={action.busy.value}
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? []
              if (file) add(file)
              event.currentTarget.value = ''
            }}
          />
        </label>
      )}
      {error && (
        <ErrorLine>{error.code === 'FORBIDDEN' ? w('files.notYours') : errorText(t, error)}</ErrorLine>
      )}
    </>
  )
}

function OneFile({ path, file, fromMs }: Omit<FilesProps, 'mayAdd'> & { file: Attached }): JSX.Element {
  const { t } = useApp()
  const w = useSessionWords()
  const { ask, cameras } = useTraining()
  const content = useSignal<Blob | null>(null)
  const url = useSignal<string | null>(null)
  const action = useAction()
  const { id, media_type: type, bytes } = file
  const name = nameOf()
  useEffect(
    () => () => {
      if (url.peek() !== null) URL.revokeObjectURL(url.peek() ?? '')
    },
    [url],
  )
  const close = () => {
    URL.revokeObjectURL(url.peek() ?? '')
    url.value = null
    content.value = null
  }
  const open = () =>
    void action.run(async () => {
      const answer = await ask(`${path}/attachments/${encodeURIComponent(id)}`)
      // Shown as what it was sent as and nothing else: a blob of the page's own may be anything.
      content.value = new Blob([await answer.arrayBuffer()], { type: shownType(type) })
      url.value = URL.createObjectURL(content.value)
    })
  return (
    <div class="row file-row">
      <span class="row-text">
        <span class="row-title">{name}</span>
        <span class="row-more">
          <span>{type}</span>
          <span>{w('files.size', { mb: Math.max(0.1, Math.round((bytes / MB) * 10) / 10) })}</span>
        </span>
      </span>
      <button
        type="button"
        class="button compact"
        aria-label={url.value === null ? w('files.openOf', { name }) : undefined}
        disabled={action.busy.value}
        onClick={url.value === null ? open : close}
      >
        {w(url.value === null ? 'files.open' : 'files.close')}
      </button>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      {url.value !== null && (
        <div class="file-shown">
          <Content {...{ path, file, name }} url={url.value} content={content.value} />
          <a class="text-link" href={url.value} download={file.name}>
            {w('files.save', { name: file.name })}
          </a>
        </div>
      )}
    </div>
  )

  function nameOf(): string {
    if (file.from === null || file.to === null) return file.name
    const at = (time: string) => clockOf((Date.parse(time) - fromMs) / 1000)
    const camera = cameras.state.value.value?.find((one) => one.id === file.camera_id)?.name ?? '?'
    return w('files.video', { camera, from: at(file.from), to: at(file.to) })
  }
}

interface ContentProps {
  path: string
  file: Attached
  url: string
  /** The bytes that the address stands for. */
  content: Blob | null
  name: string
}

function Content({ path, file, url, content, name }: ContentProps): JSX.Element {
  const w = useSessionWords()
  const canPlay = useSignal(true)
  const type = file.media_type
  if (type.startsWith('image/') && shownType(type) === type) return <img src={url} alt={name} />
  if (!type.startsWith('video/') || !canPlay.value) return <p class="small">{w('files.noPlay')}</p>
  if (file.camera_id !== null)
    return (
      <Recorded
        {...{ path, file, url, content, name }}
        onFailed={() => {
          canPlay.value = false
        }}
      />
    )
  return (
    // biome-ignore lint/a11y/useMediaCaption: nobody speaks in it, the hub records no sound
    <video
      src={url}
      controls
      playsInline
      aria-label={name}
      onError={() => {
        canPlay.value = false
      }}
    />
  )
}

/** Types that a browser only shows, and never runs. */
function shownType(type: string): string {
  return /^(?:image\/(?:jpeg|png|webp|gif|avif)|video\/[a-z0-9.+-]+)$/.test(type)
    ? type
    : 'application/octet-stream'
}
