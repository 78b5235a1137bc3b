/** The app's own line icons, drawn as DOM nodes because nothing may be parsed from text. */
import type { JSX } from 'preact'

const PATHS = {
  home: 'M4 11.2 12 4.5l8 6.7M6 9.8V19h12V9.8',
  people:
    'M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11ZM3.2 19.2c.4-3.4 2.7-5.2 5.8-5.2s5.4 1.8 5.8 5.2M15.6 5a3 3 0 0 1 0 5.7M17.4 14.4c2 .6 3.2 2.2 3.5 4.8',
  watch: 'M8 7.2h8v9.6H8zM9.2 7.2 9.8 3.5h4.4l.6 3.7M9.2 16.8l.6 3.7h4.4l.6-3.7M12 10v2.2l1.4.9',
  more: 'M5 7h14M5 12h14M5 17h14',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  next: 'M9.5 5.5 16 12l-6.5 6.5',
  plus: 'M12 5v14M5 12h14',
  check: 'm5 12.8 4.6 4.4L19 7.4',
  close: 'm6.5 6.5 11 11m0-11-11 11',
  copy: 'M9 9h10v10.5H9zM15 9V4.5H5V15h4',
  eye: 'M2.8 12C5 8 8.2 6 12 6s7 2 9.2 6c-2.2 4-5.4 6-9.2 6s-7-2-9.2-6ZM12 14.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2Z',
  eyeOff:
    'M4 4l16 16M9.9 6.2A9.6 9.6 0 0 1 12 6c3.8 0 7 2 9.2 6a14 14 0 0 1-2.3 3M6.4 7.600A13 13 0 0 0 2.8 12C5 16 8.2 18 12 18c1.4 0 2.7-.3 3.9-.8M10.2 10.200a2.6 2.6 0 0 0 3.6 3.6',
  phone: 'M7.5 3.500h9v17h-9zM11 17.800h2',
  camera: 'M4 8h10.500v8.500H4zM14.5 11l5.5-2.500v7.500l-5.5-2.5',
  photo: 'M4 8.500h3.500L9 6h6l1.500 2.500H20V18H4zM12 16a3 3 0 1 0 0-6 3 3 0 0 0 0 6',
  gateway: 'M4.5 14h15v5.500h-15zM8 16.800h.01M12 14V9M8.2 7.800a5 5 0 0 1 7.6 0M6 5.200a8.4 8.4 0 0 1 12 0',
  wall: 'M3.5 5h17v11.500h-17zM9 20h6M12 16.500V20',
  integration: 'M9 3.500V8M15 3.500V8M6.5 8h11v3.500a5.5 5.5 0 0 1-11 0zM12 17v3.5',
  battery: 'M3.5 8h15v8h-15zM21 11v2',
  warning: 'M12 4.5 21 19.500H3zM12 10v4.500M12 16.900v.1',
  offline:
    'M4 4l16 16M8 17.500h9M6.8 9.200A4.3 4.3 0 0 0 7 17.500M10.3 6.300a5 5 0 0 1 6.9 4.6 3.5 3.5 0 0 1 2 5.2',
  table: 'M4 5.500h16v13H4zM4 10h16M4 14.200h16M10 5.500v13',
  chart: 'M4 4.500v15h16M7 14.500l3.5-4 3 2.500L19 7',
  shield: 'M12 3.5 5 6v5.500c0 4.2 2.8 7.4 7 9 4.2-1.6 7-4.8 7-9V6z',
  user: 'M12 11.500a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.400ZM5 20c.5-4 3.2-6 7-6s6.5 2 7 6',
  leave: 'M14 5H5.500v14H14M10.5 12H20m-3.5-3.500L20 12l-3.5 3.5',
  refresh: 'M19 12a7 7 0 1 1-2.2-5.100M19 4v4h-4',
  key: 'M8.5 15.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12.5 11.500H21M18 11.500V15',
  qr: 'M4.5 4.500h5.500V10H4.500zM14 4.500h5.500V10H14zM4.5 14H10v5.500H4.500zM14 14h2.500v2.500M19.5 14v.1M14 19.500v-.1M17 19.500h2.500V17',
  box: 'M4 9.500h16V18H4zM4 9.5 6.5 5h11L20 9.500M7.5 14h.01M11 14h5.5',
  stethoscope:
    'M6 4v5a4 4 0 0 0 8 0V4M10 13v2.500a4.5 4.5 0 0 0 9 0V13M19 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z',
  edit: 'M5 19l.8-3.800L15.5 5.500l3 3L8.8 18.200z',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 24 }: { name: IconName; size?: number }): JSX.Element {
  return <LineIcon path={PATHS[name]} size={size} />
}

/** An icon that comes with the code of one area, so that the first page does not carry it. */
export function LineIcon({ path, size = 24 }: { path: string; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  )
}

/** A house whose floor is a calm pulse. */
export function Logo({ size = 40 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <path class="logo-house" d="M8 23.5 24 9.500l16 14M12.5 20v12.5" />
      <path class="logo-house" d="M35.5 20v12.5" />
      <path class="logo-pulse" d="M5 38h11l3.5-8 6 14 4-10 2 4H43" />
    </svg>
  )
}

export function deviceIcon(type: string): IconName {
  switch (type) {
    case 'phone':
    case 'camera':
    case 'gateway':
    case 'wall':
    case 'integration':
      return type
    case 'watch':
      return 'watch'
    default:
      return 'box'
  }
}
