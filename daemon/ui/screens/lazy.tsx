/** Loads a screen's code when it is first opened; a failure is shown with a way to try again. */
import { useSignal } from '@preact/signals'
import type { ComponentType, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp } from '../app.ts'
import { ApiError } from '../net/api.ts'
import { Failed, Skeleton } from '../parts/feedback.tsx'
import { Screen } from '../parts/screen.tsx'

/** A whole screen, which keeps its frame while its code is on the way. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return later(load, (inside) => <Waiting>{inside}</Waiting>)
}

/** A part of a screen; `frame` says what stands there until its code has come. */
export function lazyPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  frame: (inside: JSX.Element) => JSX.Element = (inside) => inside,
) {
  return later(load, frame)
}

function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  frame: (inside: JSX.Element) => JSX.Element,
): (props: Props) => JSX.Element {
  let loaded: ComponentType<Props> | null = null
  return (props) => {
    const failed = useSignal(false)
    const attempt = useSignal(0)
    const arrived = useSignal(loaded !== null)
    useEffect(() => {
      if (loaded) return
      failed.value = false
      load().then(
        (component) => {
          loaded = component
          arrived.value = true
        },
        () => {
          failed.value = true
        },
      )
    }, [attempt.value])
    if (arrived.value && loaded) {
      const Loaded = loaded
      return <Loaded {...props} />
    }
    if (!failed.value) return frame(<Skeleton rows={1} tall />)
    return frame(<Failed error={new ApiError('OFFLINE', '')} onRetry={() => attempt.value++} />)
  }
}

function Waiting({ children }: { children: JSX.Element }): JSX.Element {
  const { t } = useApp()
  return <Screen title={t('state.loading')}>{children}</Screen>
}
