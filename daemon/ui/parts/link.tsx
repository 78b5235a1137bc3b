/** A link inside the app: a real anchor, so that long press, middle click and screen readers work as ever. */
import type { ComponentChildren, JSX } from 'preact'
import { useApp } from '../app.ts'
import { BASE } from '../router.ts'

export interface LinkProps {
  to: string
  class?: string
  children: ComponentChildren
  'aria-label'?: string
  'aria-current'?: 'page' | undefined
}

export function Link({ to, children, ...rest }: LinkProps): JSX.Element {
  const { router } = useApp()
  return (
    <a
      {...rest}
      href={`${BASE}${to}`}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        router.go(to)
      }}
    >
      {children}
    </a>
  )
}
