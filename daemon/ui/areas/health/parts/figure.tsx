/** A drawing with what every drawing needs: a sentence for who cannot see it, and the same as a table. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { Icon } from '../../../parts/icon.tsx'

export interface Table {
  caption: string
  head: readonly string[]
  rows: readonly (readonly (string | number)[])[]
  /** Said when there is no row. */
  none: string
}

export interface FigureProps {
  /** What the drawing says, in a sentence. */
  label: string
  table: Table
  /** Draws at the width that there is, in pixels. */
  children: (width: number) => ComponentChildren
  aside?: ComponentChildren
  /** Follows a finger or mouse: pixels from the left of a drawing so wide, null when it leaves. */
  onPoint?: (x: number | null, width: number) => void
}

/** Rows that are drawn at once; the newest ones when there are more. */
const ROWS_MAX = 300

export function Figure({ label, table, children, aside, onPoint }: FigureProps): JSX.Element {
  const { t } = useApp()
  const asTable = useSignal(false)
  return (
    <div class="figure">
      {asTable.value ? (
        <FigureTable table={table} />
      ) : (
        <Drawing label={label} onPoint={onPoint}>
          {children}
        </Drawing>
      )}
      <div class="day-foot">
        <button
          type="button"
          class="button compact"
          aria-pressed={asTable.value}
          onClick={() => {
            asTable.value = !asTable.value
          }}
        >
          <Icon name={asTable.value ? 'chart' : 'table'} size={20} />
          {t(asTable.value ? 'day.asCurve' : 'day.asTable')}
        </button>
        {aside}
      </div>
    </div>
  )
}

interface DrawingProps {
  label: string
  onPoint: FigureProps['onPoint']
  children: FigureProps['children']
}

function Drawing({ label, onPoint, children }: DrawingProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const width = useSignal(0)
  useLayoutEffect(() => {
    const host = box.current
    if (!host) return
    width.value = host.clientWidth
    const size = new ResizeObserver(() => {
      width.value = host.clientWidth
    })
    size.observe(host)
    return () => size.disconnect()
  }, [])
  const at = (clientX: number) =>
    onPoint?.(clientX - (box.current?.getBoundingClientRect().left ?? 0), width.peek())
  return (
    <div
      ref={box}
      class="drawing"
      role="img"
      aria-label={label}
      onPointerMove={(event) => at(event.clientX)}
      onPointerDown={(event) => at(event.clientX)}
      onPointerLeave={(event) => event.pointerType === 'mouse' && onPoint?.(null, 0)}
    >
      {width.value > 0 && children(width.value)}
    </div>
  )
}

function FigureTable({ table: { caption, head, rows, none } }: { table: Table }): JSX.Element {
  return (
    <table class="table">
      <caption>{caption}</caption>
      <thead>
        <tr>
          {head.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(-ROWS_MAX).map((cells, index) => (
          <tr key={index}>
            {cells.map((cell, column) =>
              column === 0 ? (
                <th key={column} scope="row">
                  {cell}
                </th>
              ) : (
                <td key={column}>{cell}</td>
              ),
            )}
          </tr>
        ))}
        {rows.length === 0 && (
          <tr>
            <td colSpan={head.length}>{none}</td>
          </tr>
        )}
      </tbody>
    </table>
  )
}
