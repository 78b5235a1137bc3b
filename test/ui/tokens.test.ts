/** The colours of the app keep apart for colour-blind eyes, and text stays readable in both schemes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from './repository-root.ts'

type Rgb = readonly [number, number, number]
type Matrix = readonly [Rgb, Rgb, Rgb]

const STATES = ['ok', 'watch', 'alert', 'urgent', 'stale']
const SERIES = ['1', '2', '3', '4', '5', '6']
const SETS = {
  'state text': STATES.map((name) => `--state-${name}`),
  'state fill': STATES.map((name) => `--fill-${name}`),
  series: SERIES.map((name) => `--series-${name}`),
}
/** Machado, Oliveira and Fernandes 2009, severity 1.0, applied to linear sRGB. */
const SIGHTS: Readonly<Record<string, Matrix>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

for (const scheme of ['light', 'dark'] as const) {
  const colours = tokens(scheme)
  for (const [set, names] of Object.entries(SETS)) {
    test(`the ${scheme} ${set} colours differ by at least 10 for every kind of sight`, () => {
      for (const [sight, matrix] of Object.entries(SIGHTS)) {
        for (const [a, b] of pairs(names)) {
          const apart = distance(see(colours(a), matrix), see(colours(b), matrix))
          assert.ok(apart >= 10, `${a} and ${b} are ${apart.toFixed(1)} apart under ${sight}`)
        }
      }
    })
  }

  test(`text of the ${scheme} scheme has a contrast of 4.5 on what it stands on`, () => {
    const grounds = ['--page', '--surface', '--sunken']
    for (const ink of ['--ink', '--ink-2', '--ink-3', '--accent']) {
      for (const ground of grounds) atLeast(4.5, ink, ground)
    }
    for (const state of SETS['state text']) atLeast(4.5, state, '--surface')
    atLeast(4.5, '--on-accent', '--accent')
    atLeast(4.5, '--ink', '--accent-soft')
    atLeast(4.5, '--accent', '--accent-soft')
  })

  test(`graphics and field borders of the ${scheme} scheme have a contrast of 3 on a surface`, () => {
    for (const name of [...SETS['state fill'], ...SETS.series, '--line-strong']) atLeast(3, name, '--surface')
    atLeast(3, '--line-strong', '--page')
  })

  function atLeast(limit: number, front: string, back: string): void {
    const found = contrast(colours(front), colours(back))
    assert.ok(found >= limit, `${front} on ${back} has ${found.toFixed(2)}, needs ${limit}`)
  }
}

/** Reads the custom properties of one scheme; the dark block overrides the light one. */
function tokens(scheme: 'light' | 'dark'): (name: string) => Rgb {
  const sheet = readFileSync(join(repositoryRoot(), 'daemon/ui/styles/tokens.css'), 'utf8')
  const [light = '', dark = ''] = sheet.split('@media (prefers-color-scheme: dark)')
  const found = new Map<string, Rgb>()
  for (const block of scheme === 'light' ? [light] : [light, dark]) {
    for (const [, name = '', hex = ''] of block.matchAll(/(--[a-z0-9-]+): #([0-9a-f]{6});/g))
      found.set(name, linear(hex))
  }
  return (name) => found.get(name) ?? assert.fail(`${name} is not a colour of the ${scheme} scheme`)
}

function linear(hex: string): Rgb {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return [channel(0), channel(2), channel(4)]
}

function see(colour: Rgb, matrix: Matrix): Rgb {
  const row = (weights: Rgb) =>
    Math.min(1, Math.max(0, weights[0] * colour[0] + weights[1] * colour[1] + weights[2] * colour[2]))
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])]
}

/** WCAG 2.2 contrast ratio. */
function contrast(a: Rgb, b: Rgb): number {
  const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b
  const [bright, dim] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

/** Euclidean distance in OKLab (Ottosson 2020), times 100. */
function distance(a: Rgb, b: Rgb): number {
  const [p, q] = [oklab(a), oklab(b)]
  return 100 * Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
}

function oklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

function pairs(names: readonly string[]): [string, string][] {
  return names.flatMap((a, index) => names.slice(index + 1).map((b): [string, string] => [a, b]))
}
