import type { Template } from './template.ts'

/** A topic on which a device says whether it is there, with the words it uses. */
export interface Availability {
  topic: string
  online: string
  offline: string
  template: Template | null
}

/** One measuring part of a device, as Home Assistant's discovery describes it. */
export interface Entity {
  uniqueId: string
  objectId: string
  component: string
  deviceId: string
  name: string | null
  stateTopic: string
  template: Template | null
  unit: string | null
  deviceClass: string | null
  /** The value only grows, so it is a counter and not a count of an interval. */
  cumulative: boolean
  availability: readonly Availability[]
}
