import { createJsonPieces, type Path } from './json-pieces.ts'
import { type Emit, type Reading, skipped, unreadable } from './record.ts'

export interface JsonRecordsDeps {
  wanted: readonly (readonly string[])[]
  onPiece(path: Path, value: unknown): void
  onEnd?(): void
  emit: Emit
}

/** Reads the wanted parts of a JSON file; what it cannot follow or parse becomes a skipped record. */
export function readJsonRecords({ wanted, onPiece, onEnd, emit }: JsonRecordsDeps): Reading {
  let broken = false
  const pieces = createJsonPieces({
    wanted,
    onPiece,
    onSkipped: (path, reason) => emit(skipped(pathText(path), reason)),
    onBroken(reason) {
      broken = true
      emit(unreadable('file', `not a JSON document that can be read: ${reason}`))
    },
  })
  return {
    push: pieces.push,
    end() {
      pieces.end()
      if (!broken) onEnd?.()
    },
  }
}

export type JsonObject = Record<string, unknown>

export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** `data.metrics[0].data[5]`. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )
}
