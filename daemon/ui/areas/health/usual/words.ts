/** Every sentence about what is usual for a person, in English. */
export const words = {
  'usual.label': 'Compared with the days before',
  'usual.usual': 'As usual',
  'usual.unusual': 'Not as usual',
  'usual.learning': 'Learning what is usual: {done} of {needed} days',
  'usual.value': 'Value',
  'usual.seen': 'Now',
  'usual.expected': 'Expected',
  'usual.learnt':
    'Learnt from {days} days, {when}, by {name} {version}. It rings about once in {every} days even when all is well. This is no diagnosis.',
} as const
