/** Video of a session with who is in it: boxes carry the names that were said, faces can be covered on this screen. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX, RefObject } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { type App, useApp } from '../../../app.ts'
import { paint } from '../overlay/paint.ts'
import { createReplay, type KeptTrack, type Replay } from '../overlay/replay.ts'
import { pathOf, useTraining } from '../training.ts'
import { Switch } from '../viewer.tsx'
import type { Attached, Timeline } from './answers.ts'
import { jpegsIn, type Still } from './matroska.ts'
import { clockOf, useNames, useSessionWords } from './sessions.ts'

export interface RecordedProps {
  /** Of the session, below `/api/v1`. */
  path: string
  file: Attached
  url: string
  /** The bytes that the address stands for. */
  content: Blob | null
  name: string
  onFailed: () => void
}

/** About five minutes of six players in one answer: more is never in one file. */
const MOST_STRETCHES = 1000
const STEP_MS = 100

type Names = (trackId: number) => string | null

export function Recorded(props: RecordedProps): JSX.Element | null {
  const { file, content } = props
  const isFilm = file.media_type === 'video/mp4'
  const stills = useStills(isFilm ? null : content)
  const { replay, names } = useSeen(props)
  const boxes = useSignal(true)
  const blur = useSignal(false)
  useEffect(() => {
    if (stills?.length === 0) props.onFailed()
  }, [stills])
  const shared = { ...props, replay, names, boxes, blur, fromMs: Date.parse(file.from ?? '') }
  if (isFilm) return <Film {...shared} />
  return stills && stills.length > 0 ? <Stills {...shared} stills={stills} /> : null
}

interface ShownProps extends RecordedProps {
  replay: Replay
  names: Names
  boxes: Signal<boolean>
  blur: Signal<boolean>
  fromMs: number
}

function Film(props: ShownProps): JSX.Element {
  const { url, name, fromMs, onFailed } = props
  const video = useRef<HTMLVideoElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const shape = useSignal('16 / 9')
  const repaint = usePainter(canvas, props, () => {
    const source = video.current
    if (!source || source.videoWidth === 0) return null
    const size = { width: source.videoWidth, height: source.videoHeight }
    return { source, size, atMs: fromMs + source.currentTime * 1000 }
  })
  useEffect(() => {
    // Told of every picture where the browser can, a few times a second elsewhere.
    let planned = 0
    const each = () => {
      repaint()
      planned = requestAnimationFrame(each)
    }
    each()
    return () => cancelAnimationFrame(planned)
  }, [repaint])
  return (
    <Frame {...props} shape={shape.value} canvas={canvas}>
      {/* biome-ignore lint/a11y/useMediaCaption: nobody speaks in it, the hub records no sound */}
      <video
        ref={video}
        src={url}
        controls
        playsInline
        aria-label={name}
        onLoadedMetadata={({ currentTarget }) => {
          shape.value = `${currentTarget.videoWidth} / ${currentTarget.videoHeight}`
        }}
        onError={onFailed}
      />
    </Frame>
  )
}

function Stills({ stills, ...props }: ShownProps & { stills: readonly Still[] }): JSX.Element {
  const w = useSessionWords()
  const { fromMs, name } = props
  const picture = useRef<HTMLCanvasElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const shape = useSignal('16 / 9')
  const at = useSignal(0)
  const plays = useSignal(false)
  const offsetMs = stills[at.value]?.atMs ?? 0
  const repaint = usePainter(canvas, props, () => {
    const source = picture.current
    if (!source || source.width === 0) return null
    return { source, size: source, atMs: fromMs + (stills[at.peek()]?.atMs ?? 0) }
  })
  useEffect(() => {
    let isOver = false
    void draw(picture.current, stills[at.value]).then((size) => {
      if (isOver || !size) return
      shape.value = `${size.width} / ${size.height}`
      requestAnimationFrame(repaint)
    })
    return () => {
      isOver = true
    }
  }, [at.value, repaint])
  useEffect(() => {
    const next = stills[at.value + 1]
    if (!plays.value) return
    if (!next) {
      plays.value = false
      return
    }
    const timer = setTimeout(
      () => {
        at.value += 1
      },
      Math.min(1000, next.atMs - offsetMs),
    )
    return () => clearTimeout(timer)
  }, [plays.value, at.value])
  const time = clockOf(offsetMs / 1000)
  return (
    <>
      <Frame {...props} shape={shape.value} canvas={canvas}>
        <canvas ref={picture} role="img" aria-label={name} />
      </Frame>
      <div class="film-moves">
        <button
          type="button"
          class="button compact"
          onClick={() => {
            if (at.peek() >= stills.length - 1) at.value = 0
            plays.value = !plays.peek()
          }}
        >
          {w(plays.value ? 'files.pause' : 'files.play')}
        </button>
        <input
          type="range"
          min={0}
          max={stills.length - 1}
          value={at.value}
          aria-label={w('files.moment')}
          aria-valuetext={time}
          onInput={({ currentTarget }) => {
            at.value = Number(currentTarget.value)
          }}
        />
        <span class="small">{time}</span>
      </div>
    </>
  )
}

/** The picture, what is painted over it, and the two switches. */
function Frame({
  shape,
  canvas,
  boxes,
  blur,
  children,
}: ShownProps & {
  shape: string
  canvas: RefObject<HTMLCanvasElement | null>
  children: JSX.Element
}): JSX.Element {
  const { w } = useTraining()
  return (
    <div class="viewer">
      <div class="viewer-stage" style={{ aspectRatio: shape }}>
        {children}
        <canvas ref={canvas} class="replay-overlay" />
      </div>
      <div class="viewer-switches">
        <Switch on={boxes} label={w('live.overlay')} icon="boxes" />
        <Switch on={blur} label={w('live.blur')} icon="blur" />
      </div>
    </div>
  )
}

interface Shot {
  source: HTMLVideoElement | HTMLCanvasElement
  size: { width: number; height: number }
  atMs: number
}

/** Paints what was seen at the moment of the picture; covers all of it where nobody knows where faces are. */
function usePainter(
  canvas: RefObject<HTMLCanvasElement | null>,
  { replay, names, boxes, blur }: ShownProps,
  shot: () => Shot | null,
): () => void {
  const newest = useRef(shot)
  newest.current = shot
  const repaint = useMemo(
    () => () => {
      const shown = newest.current()
      if (!canvas.current || !shown) return
      const overlay = replay(shown.atMs)
      const knows = overlay !== null && overlay.people.length > 0
      paint({
        ...{ canvas: canvas.current, picture: shown, overlay, nameOf: names },
        boxes: boxes.peek(),
        blur: !blur.peek() ? 'off' : knows ? 'faces' : 'all',
      })
    },
    [replay, names],
  )
  useEffect(() => repaint(), [repaint, boxes.value, blur.value])
  return repaint
}

const NOBODY: Replay = () => null

/** What the hub kept of this stretch of the camera, and who was said to be whom; without it only the picture is shown. */
function useSeen({ path, file }: RecordedProps): { replay: Replay; names: Names } {
  const app = useApp()
  const nameOf = useNames()
  const replay = useSignal<Replay>(NOBODY)
  const players = useSignal<ReadonlyMap<number, string>>(new Map())
  useEffect(() => {
    let isOver = false
    void fetchSeen(app, path, file).then((seen) => {
      if (isOver || !seen) return
      players.value = seen.players
      replay.value = seen.replay
    })
    return () => {
      isOver = true
    }
  }, [app, path, file.id])
  const known = players.value
  const names = useMemo<Names>(
    () => (trackId) => {
      const id = known.get(trackId)
      return id === undefined ? null : nameOf(id)
    },
    [known, nameOf(known.values().next().value ?? '')],
  )
  return { replay: replay.value, names }
}

async function fetchSeen({ api }: App, path: string, { camera_id: camera, from, to }: Attached) {
  if (camera === null || from === null || to === null) return null
  const until = new Date(Date.parse(to) + 1).toISOString()
  const window = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(until)}`
  try {
    const [{ tracks }, timeline] = await Promise.all([
      api.get<{ tracks: KeptTrack[] }>(
        `${pathOf(camera)}/poses?${window}&step_ms=${STEP_MS}&limit=${MOST_STRETCHES}`,
      ),
      api.get<Timeline>(`${path}/timeline`),
    ])
    const named = timeline.tracks.flatMap(({ camera_id: of, track_id: track, player_id: player }) =>
      of === camera && player !== null ? [[track, player] as const] : [],
    )
    return { replay: createReplay(camera, tracks), players: new Map(named) }
  } catch {
    // A camera that is gone or closed to this reader: the picture is shown without boxes.
    return null
  }
}

/** Null until it was looked into; empty for what holds no picture. */
function useStills(content: Blob | null): readonly Still[] | null {
  const stills = useSignal<readonly Still[] | null>(null)
  useEffect(() => {
    let isOver = false
    void content?.arrayBuffer().then((bytes) => {
      if (!isOver) stills.value = jpegsIn(new Uint8Array(bytes))
    })
    return () => {
      isOver = true
    }
  }, [content])
  return stills.value
}

async function draw(canvas: HTMLCanvasElement | null, still: Still | undefined) {
  if (!canvas || !still) return null
  const bitmap = await createImageBitmap(new Blob([still.jpeg.slice()], { type: 'image/jpeg' })).catch(
    () => null,
  )
  if (!bitmap) return null
  const { width, height } = bitmap
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
  bitmap.close()
  return { width, height }
}
