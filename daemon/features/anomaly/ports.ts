/** What the watch over vitals asks of episodes. */
import type { EpisodeState, Evidence, Severity } from '../../domain/episode.ts'

/** What the model has noticed. */
export interface AnomalySighting {
  personId: string
  kind: string
  class: 'wellness'
  severity: Severity
  title: string
  message: string
  origin: 'detector'
  originId: string
  by: string
  atMs: number
  evidence: readonly Evidence[]
  metadata: Readonly<Record<string, unknown>>
}

export interface AnomalyEpisodes {
  /** Opens one, or joins the one it belongs to; resolves once that is on disk. */
  open(sighting: AnomalySighting): Promise<unknown>
  /** Adds a row to the unresolved one of this kind, and ends it where `resolves`. */
  remark(
    personId: string,
    kind: string,
    row: { kind: 'cleared'; by: string; text: string | null; evidence?: readonly Evidence[] },
    resolves: boolean,
  ): Promise<boolean>
  newest(personId: string, kind: string): { state: EpisodeState } | undefined
  /** Those with evidence at or after `fromMs`, the oldest first. */
  since(
    personId: string,
    kind: string,
    fromMs: number,
  ): readonly { startedAtMs: number; lastEvidenceAtMs: number }[]
}
