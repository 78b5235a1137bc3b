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

/** JSON lines on stderr unless another destination is given; `level` is a pino level or `silent`. Children carry the part's name. */
export function createLog(level: string, destination?: pino.DestinationStream): Log {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])
  return pino(
    { level, base: null, redact: { paths, censor: '[redacted]' } },
    destination ?? pino.destination({ fd: 2, sync: true }),
  )
}

/** For a person at a terminal: time, level, part, message, then the facts. */
export function plainLines(out: { write(text: string): unknown }): pino.DestinationStream {
  return {
    write(line) {
      const { level, time, part, msg, ...facts } = JSON.parse(line) as Record<string, unknown>
      const clock = new Date(Number(time)).toTimeString().slice(0, 8)
      const label = pino.levels.labels[Number(level)] ?? ''
      const rest = Object.entries(facts).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      out.write(`${[clock, label.padEnd(5), part ?? 'hub', msg, ...rest].filter(Boolean).join(' ')}\n`)
    },
  }
}
