/** Films of one and of six moving people, put together from sample material that is not in the repository. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { film } from './cameras-simulated.ts'
import { temporaryData } from './hub-process.ts'
import { Skipped } from './row.ts'

const ROOT = process.env['HOMEFIELD_SAMPLES'] ?? join('..', 'shared', 'data')
/** Somebody who walks over a lawn, for these seconds alone in this part of the picture. */
const WALK = { file: ['vision', 'clips', 'sports2d-demo.mp4'], fromS: '2.9', forS: '1.8' }
const BODY = 'crop=900:506:400:470'
const YOLOX_NANO = ['vision', 'models', 'yolox_nano_416x416.onnx']
/** Forth and back again, so that nobody jumps where the film begins anew. */
const ENDLESS = 'split[forth][turned];[turned]reverse[back];[forth][back]concat'

/** A sample's path; throws Skipped where it is not there. */
function sample(parts: readonly string[]): string {
  const path = join(ROOT, ...parts)
  if (!existsSync(path)) throw new Skipped(`${path} is missing (set HOMEFIELD_SAMPLES)`)
  return path
}

export function yoloxFile(): string {
  return sample(YOLOX_NANO)
}

/** A 720p film of that many people (1 or 6). */
export function peopleFilm(people: 1 | 6, fps: number): string {
  const file = join(temporaryData(), `people-${people}-${fps}.mp4`)
  const picture = people === 1 ? `[0:v]${BODY},scale=1280:720` : sixTiles()
  const input = ['-ss', WALK.fromS, '-t', WALK.forS, '-i', sample(WALK.file)]
  film(input, ['-filter_complex', `${picture},fps=${fps},${ENDLESS}`], file)
  return file
}

/** Six times the same person, every other one mirrored. */
function sixTiles(): string {
  const names = Array.from({ length: 6 }, (_, at) => `t${at}`)
  const tile = `[0:v]${BODY},scale=426:240,pad=426:360:0:60,split=6${names.map((name) => `[${name}]`).join('')}`
  const turned = names.map((name, at) => `[${name}]${at % 2 === 0 ? 'null' : 'hflip'}[${name}x]`)
  const places = names.map((_, at) => `${(at % 3) * 426}_${Math.floor(at / 3) * 360}`)
  const stacked = `${names.map((name) => `[${name}x]`).join('')}xstack=inputs=6:layout=${places.join('|')},pad=1280:720`
  return [tile, ...turned, stacked].join(';')
}
