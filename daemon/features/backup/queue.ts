/** What the queue of long work lends. */
export interface BackupQueue {
  handle(kind: string, handler: BackupHandler): void
  schedule(schedule: { kind: string; cron: string; payload?: unknown }): void
  submit(
    kind: string,
    payload: unknown,
    options: { requestedBy: string | null; uniqueKey: string },
  ): Promise<{ id: string }>
}

export interface BackupHandler {
  queue: 'low'
  timeoutMs: number
  maxAttempts: number
  run(context: {
    job: { payload: unknown }
    signal: AbortSignal
    progress(fraction: number, stage?: string): void
  }): Promise<{ result: unknown }>
}
