/** Words for roles, kinds and classes, the same on every screen. */
import { DATA_CLASSES, type DataClass } from '../../domain/access.ts'
import type { Translate } from '../i18n/translate.ts'
import type { PersonKind } from '../net/answers.ts'
import type { Option } from '../parts/fields.tsx'

const ROLE_KEYS = ['owner', 'caregiver', 'coach', 'member', 'device'] as const

export function roleText(t: Translate, role: string): string {
  const known = ROLE_KEYS.find((name) => name === role)
  return known === undefined ? role : t(`role.${known}`)
}

export function kindOptions(t: Translate): Option<PersonKind>[] {
  return [
    { value: 'child', label: t('kind.child') },
    { value: 'teen', label: t('kind.teen') },
    { value: 'adult', label: t('kind.adult') },
  ]
}

export function classOptions(t: Translate): Option<DataClass>[] {
  return DATA_CLASSES.map((name) => ({
    value: name,
    label: t(`class.${name}`),
    text: t(`class.${name}.text`),
  }))
}

const TYPE_KEYS = ['watch', 'phone', 'camera', 'gateway', 'wall', 'integration'] as const
export type DeviceType = (typeof TYPE_KEYS)[number]

export function typeText(t: Translate, type: string): string {
  const known = TYPE_KEYS.find((name) => name === type)
  return known === undefined ? type : t(`type.${known}`)
}

/** All zones that this browser knows, the given one first if it is missing. */
export function zoneOptions(current: string): Option<string>[] {
  const known = Intl.supportedValuesOf('timeZone')
  const zones = known.includes(current) ? known : [current, ...known]
  return zones.map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') }))
}
