import type { DataClass } from '../domain/access.ts'

/** Whom an event is about, which decides who gets it. Without a person it is for owners. */
export interface Audience {
  personId: string | null
  class: DataClass | 'any'
}

/** One event, serialised once for everybody. */
export interface Frame {
  topic: string
  seq: number
  audience: Audience
  text: string
  bytes: number
}
