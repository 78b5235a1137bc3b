/** The sentences of the wall tablet. */
export const words = {
  'wall.title': 'Wall',
  'wall.touch': 'Touch once so that alarms may sound here',
  'wall.quiet': 'No reading yet',
  'wall.since': 'since {when}',
} as const
