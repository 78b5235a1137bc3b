/** When a wall tablet goes dim, and how many it has room for. */
export const PEOPLE_MOST = 6
const FROM = '22:00'
const TO = '07:00'

/** `time` is the wall clock, HH:MM. */
export function isNight(time: string): boolean {
  return time >= FROM || time < TO
}
