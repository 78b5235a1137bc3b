/** Says alerts aloud on the box itself, one after the other, with the synthesiser that Debian ships. */
import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../../kernel/clock.ts'

export interface SpeechDeps {
  clock: Pick<Clock, 'after'>
  /** A voice of espeak-ng, such as `en` or `de`. */
  voice: string
  /** Starts `espeak-ng`; its standard input takes the text. */
  spawn: (command: string, args: readonly string[]) => ChildProcess
}

const COMMAND = 'espeak-ng'
const WORDS_A_MINUTE = '140'
const TEXT_MAX = 500
const PATIENCE_MS = 60_000
/** What waits to be said; more would be said long after it mattered. */
const WAITING_MAX = 8

/** Resolves when it was said. Rejects where the synthesiser is missing, fails or takes too long, or too much waits. */
export function createSpeech({ clock, voice, spawn }: SpeechDeps) {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()

  function say(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const speaker = spawn(COMMAND, ['-v', voice, '-s', WORDS_A_MINUTE, '--stdin'])
      const cancel = clock.after(PATIENCE_MS, () => speaker.kill('SIGKILL'))
      const ended = (cause: Error | null) => {
        cancel()
        if (cause) reject(cause)
        else resolve()
      }
      speaker.once('error', ended)
      speaker.once('close', (code) => ended(code === 0 ? null : new Error(`${COMMAND} ended with ${code}`)))
      // A synthesiser that is gone before it has read is told by its end.
      speaker.stdin?.on('error', () => {})
      speaker.stdin?.end(text.slice(0, TEXT_MAX))
    })
  }

  return (text: string): Promise<void> => {
    if (waiting >= WAITING_MAX) return Promise.reject(new Error('too much waits to be said'))
    waiting += 1
    const said = last
      .then(() => say(text))
      .finally(() => {
        waiting -= 1
      })
    last = said.catch(() => {})
    return said
  }
}
