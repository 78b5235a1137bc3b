/** The sound of an alarm, made of plain tones, because a file might be missing when it is needed. */
export interface Siren {
  /** Sounds once; without a touch of the page since it was opened browsers allow no sound, and false comes back. */
  sound(kind: 'warning' | 'urgent' | 'lost'): boolean
  close(): void
}

export interface SirenDeps {
  createContext: () => AudioContext
  /** Whether somebody has touched the page. */
  isTouched: () => boolean
}

/** Hertz and seconds of each tone. */
const TONES = {
  warning: [
    [660, 0.22],
    [880, 0.3],
  ],
  urgent: [
    [880, 0.18],
    [660, 0.18],
    [880, 0.18],
    [660, 0.18],
    [990, 0.4],
  ],
  lost: [
    [520, 0.3],
    [390, 0.5],
  ],
} as const
const GAP_S = 0.06
const LOUD = 0.5
const RISE_S = 0.02

export function createSiren({ createContext, isTouched }: SirenDeps): Siren {
  let context: AudioContext | null = null
  return {
    sound(kind) {
      if (context === null && !isTouched()) return false
      context ??= createContext()
      if (context.state === 'suspended') void context.resume()
      let atS = context.currentTime + GAP_S
      for (const [hertz, lengthS] of TONES[kind]) {
        tone(context, hertz, atS, lengthS)
        atS += lengthS + GAP_S
      }
      return true
    },
    close() {
      void context?.close()
      context = null
    },
  }
}

/** One tone that rises and falls softly, so that it does not click. */
function tone(context: AudioContext, hertz: number, atS: number, lengthS: number): void {
  const source = context.createOscillator()
  const loudness = context.createGain()
  source.frequency.value = hertz
  source.type = 'triangle'
  loudness.gain.setValueAtTime(0, atS)
  loudness.gain.linearRampToValueAtTime(LOUD, atS + RISE_S)
  loudness.gain.setValueAtTime(LOUD, atS + lengthS - RISE_S)
  loudness.gain.linearRampToValueAtTime(0, atS + lengthS)
  source.connect(loudness).connect(context.destination)
  source.start(atS)
  source.stop(atS + lengthS)
}
