/** Draws boxes, numbers, skeletons and blurred faces over a picture. Only what was seen is drawn: nothing is filled in between. */
import { contain, type Fit, placer, type Size } from './geometry.ts'
import { BONES, type Box, faceOf, type Overlay, type Seen, type SeenPerson, SURE } from './pose.ts'

export interface Scene {
  canvas: HTMLCanvasElement
  /** The element that shows the picture, and its own size. */
  picture: { source: CanvasImageSource; size: Size } | null
  /** Null: nothing is known that is young enough. */
  overlay: Overlay | null
  boxes: boolean
  /** What stands at a person's box instead of the number; null: the number. */
  nameOf?: ((trackId: number) => string | null) | undefined
  /** `faces` where they are known, `all` when nobody knows where they are. */
  blur: 'off' | 'faces' | 'all'
}

/**
 * One colour each for identities that follow one another, bright enough for grass and gym; the dark rim carries them over white.
 * The number is always beside them.
 */
const COLOURS = ['#47a6ff', '#ffb454', '#a0efd9', '#ff7fae', '#c3b1ff', '#f2e34c'] as const
const RIM = 'rgb(10 14 20 / 72%)'
const MOSAIC_PX = 7

type Place = ReturnType<typeof placer>

export function paint({ canvas, picture, overlay, boxes, blur, nameOf }: Scene): void {
  const pen = canvas.getContext('2d')
  const { clientWidth: width, clientHeight: height } = canvas
  if (!pen || width === 0 || height === 0) return
  const ratio = Math.min(window.devicePixelRatio, 2)
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  const shape = picture?.size ?? overlay
  if (!shape) return
  const fit = contain({ width, height }, shape)
  if (picture && blur === 'all') mosaic(pen, picture, fit, fit)
  if (!overlay) return
  const place = placer(fit, overlay)
  if (picture && blur === 'faces')
    for (const person of overlay.people) mosaic(pen, picture, fit, spread(place, faceOf(person)))
  if (!boxes) return
  if (overlay.ball) drawBall(pen, place, overlay.ball)
  for (const person of overlay.people) drawPerson(pen, place, person, nameOf?.(person.trackId) ?? null)
}

function drawPerson(
  pen: CanvasRenderingContext2D,
  place: Place,
  person: SeenPerson,
  name: string | null,
): void {
  const colour = COLOURS[person.trackId % COLOURS.length] ?? COLOURS[0]
  const { x, y, width, height } = spread(place, person.box)
  const frame = () => {
    pen.beginPath()
    pen.roundRect(x, y, width, height, 4)
    pen.stroke()
  }
  rimmed(pen, colour, 2, frame)
  rimmed(pen, colour, 2.5, () => bones(pen, place, person))
  pen.fillStyle = colour
  for (const joint of person.joints) {
    if (joint.score < SURE) continue
    pen.beginPath()
    pen.arc(...place(joint.x, joint.y), 2.5, 0, 2 * Math.PI)
    pen.fill()
  }
  tag(pen, name ?? String(person.trackId), x, y, colour)
}

function bones(pen: CanvasRenderingContext2D, place: Place, { joints }: SeenPerson): void {
  pen.beginPath()
  for (const [from, to] of BONES) {
    const [a, b] = [joints[from], joints[to]]
    if (!a || !b || a.score < SURE || b.score < SURE) continue
    pen.moveTo(...place(a.x, a.y))
    pen.lineTo(...place(b.x, b.y))
  }
  pen.stroke()
}

function drawBall(pen: CanvasRenderingContext2D, place: Place, { box }: Seen): void {
  const { x, y, width, height } = spread(place, box)
  rimmed(pen, '#ffffff', 2.5, () => {
    pen.beginPath()
    pen.arc(x + width / 2, y + height / 2, Math.max(6, (width + height) / 4 + 3), 0, 2 * Math.PI)
    pen.stroke()
  })
}

function tag(pen: CanvasRenderingContext2D, text: string, x: number, y: number, colour: string): void {
  pen.font = '700 13px system-ui, sans-serif'
  const width = pen.measureText(text).width + 10
  const top = Math.max(0, y - 20)
  pen.fillStyle = RIM
  pen.fillRect(x - 2, top - 1, width + 2, 20)
  pen.fillStyle = colour
  pen.fillRect(x - 1, top, width, 18)
  pen.fillStyle = '#0b1017'
  pen.fillText(text, x + 4, top + 13.5)
}

/** A coloured line on a darker, wider one. */
function rimmed(pen: CanvasRenderingContext2D, colour: string, width: number, draw: () => void): void {
  pen.lineJoin = 'round'
  pen.lineCap = 'round'
  pen.strokeStyle = RIM
  pen.lineWidth = width + 2.5
  draw()
  pen.strokeStyle = colour
  pen.lineWidth = width
  draw()
}

function spread(place: Place, { x, y, w, h }: Box): Fit {
  const [left, top] = place(x, y)
  const [right, bottom] = place(x + w, y + h)
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** Covers an area with a few flat squares of the picture beneath it. */
function mosaic(
  pen: CanvasRenderingContext2D,
  { source, size }: NonNullable<Scene['picture']>,
  fit: Fit,
  area: Fit,
): void {
  const scale = size.width / fit.width
  const left = Math.max(fit.x, area.x)
  const top = Math.max(fit.y, area.y)
  const width = Math.min(fit.x + fit.width, area.x + area.width) - left
  const height = Math.min(fit.y + fit.height, area.y + area.height) - top
  if (width < 1 || height < 1) return
  const isWhole = area === fit
  const columns = isWhole ? 24 : MOSAIC_PX
  const rows = Math.max(1, Math.round((columns * height) / width))
  const small = new OffscreenCanvas(columns, rows)
  const [sx, sy] = [(left - fit.x) * scale, (top - fit.y) * scale]
  small.getContext('2d')?.drawImage(source, sx, sy, width * scale, height * scale, 0, 0, columns, rows)
  pen.save()
  if (!isWhole) {
    pen.beginPath()
    pen.ellipse(left + width / 2, top + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI)
    pen.clip()
  }
  pen.imageSmoothingEnabled = false
  pen.drawImage(small, left, top, width, height)
  pen.restore()
}
