/** Occurrences as iCalendar (RFC 5545): every time as an instant, so that no calendar has to know our zones. */
import type { Occurrence } from './expand.ts'

const LINE_BYTES = 75

/** The whole feed as text. */
export function feedText(name: string, occurrences: readonly Occurrence[], nowMs: number): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Homefield//Calendar//EN',
    `X-WR-CALNAME:${escaped(name)}`,
    ...occurrences.flatMap((occurrence) => eventLines(occurrence, nowMs)),
    'END:VCALENDAR',
  ]
  return `${lines.map(folded).join('\r\n')}\r\n`
}

function eventLines({ event, startMs, endMs }: Occurrence, nowMs: number): string[] {
  return [
    'BEGIN:VEVENT',
    `UID:${event.id}-${startMs}@homefield`,
    `DTSTAMP:${basic(nowMs)}`,
    `DTSTART:${basic(startMs)}`,
    `DTEND:${basic(endMs)}`,
    `SUMMARY:${escaped(event.title)}`,
    `CATEGORIES:${event.eventType.toUpperCase()}`,
    'END:VEVENT',
  ]
}

function basic(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r\n|\r|\n/g, '\\n')
}

/** No line is longer than 75 bytes, and none is cut within a character. */
function folded(line: string): string {
  let [made, bytes] = ['', 0]
  for (const character of line) {
    const size = Buffer.byteLength(character)
    if (bytes + size > LINE_BYTES) {
      made += '\r\n '
      bytes = 1
    }
    made += character
    bytes += size
  }
  return made
}
