import { pino } from 'pino'

export type Log = pino.Logger

/** Field names that never reach the log in clear, wherever they stand up to two levels deep. */
const SECRET_FIELDS = [
  'password',
  'token',
  'access_token',
  'refresh_token',
  'poll_token',
  'api_key',
  'apiKey',
  'key',
  'code',
  'secret',
  'authorization',
  'cookie',
  'name',
  'email',
]

/** JSON lines on stdout; `level` is a pino level or `silent`. Children carry the part's name. */
export function createLog(level: string, destination?: pino.DestinationStream): Log {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])
  return pino(
    { level, base: null, redact: { paths, censor: '[redacted]' } },
    destination ?? pino.destination({ sync: false }),
  )
}
