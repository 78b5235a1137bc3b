import type { Description } from './discovery.ts'
import type { Availability, Entity } from './entity.ts'

/** What devices announced so far, by the topics that matter. At its limit it refuses the newest: known devices keep working. */
export interface Entities {
  /** Replaces what this config topic said before. Gives a reason where it may not. */
  put(configTopic: string, description: Description): { refused: string } | null
  remove(configTopic: string): Description | null
  statesOn(topic: string): readonly Entity[]
  availabilityOn(topic: string): readonly { deviceId: string; availability: Availability }[]
  readonly size: number
}

const PER_TOPIC = 128

export function createEntities({ maxEntities }: { maxEntities: number }): Entities {
  const byConfig = new Map<string, Description>()
  const byState = new Map<string, Entity[]>()
  const byAvailability = new Map<string, { deviceId: string; availability: Availability }[]>()
  const announcedIn = new Map<string, string>()

  const forget = (configTopic: string): Description | null => {
    const known = byConfig.get(configTopic)
    if (!known) return null
    byConfig.delete(configTopic)
    for (const entity of known.entities) {
      announcedIn.delete(entity.uniqueId)
      dropFrom(byState, entity.stateTopic, (other) => other === entity)
      for (const availability of entity.availability) {
        dropFrom(byAvailability, availability.topic, (other) => other.availability === availability)
      }
    }
    return known
  }
  const refusal = (configTopic: string, { entities }: Description): string | null => {
    const before = byConfig.get(configTopic)?.entities.length ?? 0
    if (announcedIn.size - before + entities.length > maxEntities) return 'too_many_entities'
    const taken = entities.some(({ uniqueId }) => (announcedIn.get(uniqueId) ?? configTopic) !== configTopic)
    const twice = new Set(entities.map(({ uniqueId }) => uniqueId)).size < entities.length
    if (taken || twice) return 'unique_id_taken'
    const crowded = entities.some(({ stateTopic }) => (byState.get(stateTopic)?.length ?? 0) >= PER_TOPIC)
    return crowded ? 'too_many_entities' : null
  }
  return {
    put(configTopic, description) {
      const refused = refusal(configTopic, description)
      if (refused !== null) return { refused }
      forget(configTopic)
      byConfig.set(configTopic, description)
      for (const entity of description.entities) {
        announcedIn.set(entity.uniqueId, configTopic)
        addTo(byState, entity.stateTopic, entity)
        for (const availability of entity.availability)
          addTo(byAvailability, availability.topic, { deviceId: entity.deviceId, availability })
      }
      return null
    },
    remove: forget,
    statesOn: (topic) => byState.get(topic) ?? [],
    availabilityOn: (topic) => byAvailability.get(topic) ?? [],
    get size() {
      return announcedIn.size
    },
  }
}

function addTo<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

function dropFrom<Value>(lists: Map<string, Value[]>, key: string, gone: (value: Value) => boolean): void {
  const left = (lists.get(key) ?? []).filter((value) => !gone(value))
  if (left.length > 0) lists.set(key, left)
  else lists.delete(key)
}
