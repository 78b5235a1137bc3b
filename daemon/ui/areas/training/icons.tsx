/** Icons of the area. */
import type { JSX } from 'preact'
import { LineIcon } from '../../parts/icon.tsx'

const PATHS = {
  search: 'M10.5 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.400 15.400 20 20',
  full: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  small: 'M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5',
  boxes:
    'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M12 10.200a1.600 1.600 0 1 0 0-3.200 1.600 1.600 0 0 0 0 3.200ZM12 10.200v4M9 12h6M12 14.200l-2 3.300M12 14.200l2 3.300',
  blur: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM8.500 10.500h.01M15.500 10.500h.01M4.500 15l15 0M6 18h12',
  turn: 'M4 9h11.500a4.500 4.500 0 0 1 0 9H9M7.500 5.500 4 9l3.500 3.500',
  chip: 'M7 7h10v10H7zM10 3.500V7M14 3.500V7M10 17v3.500M14 17v3.500M3.500 10H7M3.500 14H7M17 10h3.500M17 14h3.500',
} as const

export function AreaIcon({ name, size }: { name: keyof typeof PATHS; size?: number }): JSX.Element {
  return <LineIcon path={PATHS[name]} {...(size === undefined ? {} : { size })} />
}
