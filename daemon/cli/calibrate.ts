/** `calibrate`: ties a camera's picture to the pitch, from points that somebody measured. */
import type { Command } from 'commander'
import { HubError } from '../kernel/errors.ts'
import { answer, rows, type Shell, subcommand, table, text } from './shell.ts'

interface Options {
  json?: boolean
  point?: string[]
  size?: string
  pitch: string
  remove?: boolean
  dismiss?: boolean
}

const POINT = /^(-?[\d.]+),(-?[\d.]+)=(-?[\d.]+),(-?[\d.]+)$/
const SIZE = /^([\d.]+)x([\d.]+)$/

export function registerCalibrate(program: Command, shell: Shell): void {
  subcommand(program, 'calibrate <camera>', 'tie a camera to the pitch; without points: how it is calibrated')
    .option(
      '--point <pixels=metres...>',
      'a spot of the pitch: x,y in the picture = x,y in metres; four or more',
    )
    .option('--size <width>x<height>', 'of the picture that the pixels are measured in')
    .option('--pitch <length>x<width>', 'in metres', '105x68')
    .option('--dismiss', 'the camera did not move, or was put back')
    .option('--remove', 'forget the calibration')
    .action((camera: string, options: Options) =>
      answer(shell, options, () => carryOut(shell, camera, options), told),
    )
}

async function carryOut(shell: Shell, camera: string, options: Options): Promise<unknown> {
  const path = `/cameras/${encodeURIComponent(camera)}/calibration`
  const control = shell.control()
  if (options.remove) return control.call('DELETE', path)
  if (options.dismiss) return control.call('POST', `${path}/dismiss`)
  if (!options.point) return control.call('GET', path)
  const [width, height] = sizeOf('--size', options.size ?? '')
  const [length, across] = sizeOf('--pitch', options.pitch)
  const body = { points: options.point.map(pointOf), width, height, pitch: { length, width: across } }
  return control.call('PUT', path, body)
}

function pointOf(written: string) {
  const numbers = POINT.exec(written)?.slice(1).map(Number)
  if (!numbers?.every(Number.isFinite))
    throw new HubError('VALIDATION_ERROR', `A point reads like 640,512=52.5,0, not ${written}.`)
  const [pixelX = 0, pixelY = 0, x = 0, y = 0] = numbers
  return { pixel: { x: pixelX, y: pixelY }, metres: { x, y } }
}

function sizeOf(option: string, written: string): [number, number] {
  const [, one, other] = SIZE.exec(written) ?? []
  if (one === undefined || other === undefined)
    throw new HubError('VALIDATION_ERROR', `${option} reads like 1280x720.`)
  return [Number(one), Number(other)]
}

function told(data: unknown): string {
  if (text(data, 'camera_id') === '–') return 'The calibration is forgotten.'
  const points = typeof data === 'object' && data !== null && 'points' in data ? rows(data.points) : []
  const moved = text(data, 'moved_at')
  return [
    `off by ${text(data, 'reprojection_error_px')} px, ${text(data, 'reprojection_error_m')} m`,
    ...(moved === '–' ? [] : [`The camera has moved since (${moved}): calibrate it again, or --dismiss.`]),
    table(
      points.map((point, index) => ({ point: index + 1, ...point })),
      ['point', 'error_px', 'error_m', 'used'],
      'No points.',
    ),
  ].join('\n')
}
