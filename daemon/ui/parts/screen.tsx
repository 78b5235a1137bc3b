/** The frame of one screen: title, way back, and the focus that moves with the reader. */
import type { ComponentChildren, JSX, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useApp } from '../app.ts'
import { Icon } from './icon.tsx'

export interface ScreenProps {
  title: string
  /** Where back leads when there is no history, below the base. */
  back?: string
  actions?: ComponentChildren
  children: ComponentChildren
  /** A reading column instead of the full width. */
  narrow?: boolean
}

export function Screen({ title, back, actions, children, narrow = false }: ScreenProps): JSX.Element {
  const { t, router, hubName } = useApp()
  const main = useArrival()
  useEffect(() => {
    document.title = `${title} · ${hubName.value}`
  }, [title, hubName.value])
  return (
    <main ref={main} id="main" class={narrow ? 'screen narrow' : 'screen'} tabIndex={-1}>
      <header class="screen-head">
        {back !== undefined && (
          <button
            type="button"
            class="icon-button"
            aria-label={t('nav.back')}
            onClick={() => router.back(back)}
          >
            <Icon name="back" />
          </button>
        )}
        <h1>{title}</h1>
        {actions !== undefined && <div class="screen-actions">{actions}</div>}
      </header>
      {children}
    </main>
  )
}

/** After a link the reader stands at the beginning of the new screen, as after loading a page. */
export function useArrival(): RefObject<HTMLElement | null> {
  const { router } = useApp()
  const main = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    if (router.arrival() === 'loaded' || main.current?.contains(document.activeElement)) return
    // The browser itself restores how far one had scrolled when going back.
    if (router.arrival() === 'linked') window.scrollTo(0, 0)
    main.current?.focus({ preventScroll: true })
  }, [])
  return main
}

/** A titled part of a screen. */
export function Section({
  title,
  children,
  action,
}: {
  title: string
  children: ComponentChildren
  action?: ComponentChildren
}): JSX.Element {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  )
}
