/** What rules ask of episodes and devices. */
import type { DataClass } from '../../domain/access.ts'
import type { EpisodeState, Evidence, Severity } from '../../domain/episode.ts'

/** What a rule has noticed, but for the kind, which follows from its condition. */
export interface RuleSighting {
  personId: string
  class: DataClass
  severity: Severity
  title: string
  message: string
  origin: 'rule'
  originId: string
  by: string
  /** When it began. */
  atMs: number
  evidence: readonly Evidence[]
  metadata: Readonly<Record<string, unknown>>
}

export interface EpisodePort {
  /** Opens one, or joins the one it belongs to; resolves once that is on disk. */
  open(sighting: RuleSighting & { kind: string }): Promise<unknown>
  /** Adds a row to the unresolved one of this kind, and ends it where `resolves`. */
  remark(
    personId: string,
    kind: string,
    row: { kind: 'cleared'; by: string; text: string | null; evidence?: readonly Evidence[] },
    resolves: boolean,
  ): Promise<boolean>
  /** The unresolved one of this kind, else the one that was resolved last. */
  newest(
    personId: string,
    kind: string,
  ):
    | { state: EpisodeState; severity: Severity; originId: string | null; resolvedAtMs: number | null }
    | undefined
}

/** A device on somebody's body or near it. */
export interface NearDevice {
  deviceId: string
  type: string
  name: string
  online: boolean
}
