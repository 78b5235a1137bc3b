/** What the queue of long work and the audit log lend to privacy. */
export interface PrivacyQueue {
  handle(kind: string, handler: PrivacyHandler): void
  submit(
    kind: string,
    payload: unknown,
    options: { requestedBy: string | null; uniqueKey: string },
  ): Promise<{ id: string }>
}

export interface PrivacyHandler {
  queue: 'default' | 'low'
  timeoutMs: number
  maxAttempts: number
  run(context: {
    job: { payload: unknown }
    signal: AbortSignal
    progress(fraction: number, stage?: string): void
  }): Promise<{ result: unknown }>
}

export type RecordFact = (fact: {
  act: string
  who: { kind: 'user' | 'local' | 'hub'; id: string | null }
  personId?: string | null
  detail?: Readonly<Record<string, string | number | boolean>>
}) => Promise<void>

/** A text field of a job's payload. */
export function textIn(payload: unknown, name: string): string | null {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, name) : null
  return typeof value === 'string' ? value : null
}
