/** A tablet that stays lit and may sound. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useWords } from '../../app.ts'
import { words } from './words.ts'

/** Keeps the screen on while it is shown; a browser that cannot, goes dark as it is set to. */
export function useWakeLock(): void {
  useEffect(() => {
    const ask = () => {
      if (document.visibilityState === 'visible') navigator.wakeLock?.request('screen').catch(() => undefined)
    }
    ask()
    document.addEventListener('visibilitychange', ask)
    return () => document.removeEventListener('visibilitychange', ask)
  }, [])
}

/** Browsers allow no sound before the first touch. */
export function Touch(): JSX.Element | null {
  const say = useWords(words)
  const touched = useSignal(navigator.userActivation?.hasBeenActive ?? false)
  if (touched.value) return null
  return (
    <button
      type="button"
      class="button primary"
      onClick={() => {
        touched.value = true
      }}
    >
      {say('wall.touch')}
    </button>
  )
}
