import { entry } from '../entry.ts'

/** The short keys of Home Assistant's discovery that matter for a measuring device; firmware writes either form. */
const SENSOR: Readonly<Record<string, string>> = {
  avty: 'availability',
  avty_mode: 'availability_mode',
  avty_t: 'availability_topic',
  avty_tpl: 'availability_template',
  cmps: 'components',
  dev: 'device',
  dev_cla: 'device_class',
  o: 'origin',
  obj_id: 'object_id',
  p: 'platform',
  pl_avail: 'payload_available',
  pl_not_avail: 'payload_not_available',
  stat_cla: 'state_class',
  stat_t: 'state_topic',
  t: 'topic',
  uniq_id: 'unique_id',
  unit_of_meas: 'unit_of_measurement',
  val_tpl: 'value_template',
}
const DEVICE: Readonly<Record<string, string>> = {
  ids: 'identifiers',
  cns: 'connections',
  mf: 'manufacturer',
  mdl: 'model',
}

/** The object with long keys. A long key that stands there as well wins over its short form. */
export function spelledOut(object: Record<string, unknown>): Map<string, unknown> {
  return renamed(object, SENSOR)
}

export function spelledOutDevice(object: Record<string, unknown>): Map<string, unknown> {
  return renamed(object, DEVICE)
}

function renamed(
  object: Record<string, unknown>,
  names: Readonly<Record<string, string>>,
): Map<string, unknown> {
  const long = new Map<string, unknown>()
  for (const [key, value] of Object.entries(object)) {
    const name = entry(names, key)
    if (name === undefined) long.set(key, value)
    else if (!long.has(name)) long.set(name, value)
  }
  return long
}
