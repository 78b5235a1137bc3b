/** The screens of this area, in the order that they are offered in, and their names. */
export const SCREENS = [
  'day',
  'calendar',
  'glucose',
  'report',
  'sleep',
  'check-in',
  'meal',
  'activity',
  'overload',
  'compare',
  'import',
  'whoop',
] as const
export type ScreenName = (typeof SCREENS)[number]

/** Their names; a person's own screen shows them before the area is fetched. */
export const screenWords = {
  'screen.day': 'Day',
  'screen.calendar': 'Calendar',
  'screen.glucose': 'Glucose',
  'screen.report': 'Glucose report',
  'screen.sleep': 'Sleep',
  'screen.check-in': 'Check-in',
  'screen.meal': 'Add meal',
  'screen.activity': 'Add activity',
  'screen.overload': 'Overload',
  'screen.compare': 'Compare',
  'screen.import': 'Import',
  'screen.whoop': 'WHOOP',
  'links.label': 'Days and notes',
} as const

export function addressOf(personId: string, screen: ScreenName): string {
  return screen === 'day' ? `/health/${personId}` : `/health/${personId}/${screen}`
}
