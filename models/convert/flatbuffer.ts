/** Reads FlatBuffers tables in place, because a TFLite file is one and no schema compiler is worth a dependency for a dozen fields. */

/** One table; fields are addressed by their index in the schema and answer the schema's default when absent. */
export interface Table {
  int(field: number, fallback?: number): number
  byte(field: number, fallback?: number): number
  uint(field: number, fallback?: number): number
  text(field: number): string
  table(field: number): Table | null
  tables(field: number): Table[]
  ints(field: number): number[]
  uint16s(field: number): number[]
  bytes(field: number): Uint8Array
  /** Where in the file the field's own thing begins; null when it is absent. */
  placeOf(field: number): number | null
  /** Where each table of a vector begins. */
  placesOf(field: number): number[]
}

/** The root table of a buffer. Reading beyond the buffer throws RangeError. */
export function rootTable(file: Uint8Array): Table {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  return tableAt(view, view.getUint32(0, true))
}

function tableAt(view: DataView, at: number): Table {
  const vtable = at - view.getInt32(at, true)
  const vtableBytes = view.getUint16(vtable, true)
  const place = (field: number): number | null => {
    const entry = 4 + 2 * field
    const offset = entry < vtableBytes ? view.getUint16(vtable + entry, true) : 0
    return offset === 0 ? null : at + offset
  }
  const scalar = (field: number, fallback: number, read: (place: number) => number) => {
    const found = place(field)
    return found === null ? fallback : read(found)
  }
  const target = (field: number): number | null => {
    const found = place(field)
    return found === null ? null : found + view.getUint32(found, true)
  }
  const vector = <T>(field: number, stride: number, read: (place: number) => T): T[] => {
    const start = target(field)
    if (start === null) return []
    return Array.from({ length: view.getUint32(start, true) }, (_, index) => read(start + 4 + index * stride))
  }
  const bytes = (field: number): Uint8Array => {
    const start = target(field)
    if (start === null) return new Uint8Array()
    return new Uint8Array(view.buffer, view.byteOffset + start + 4, view.getUint32(start, true))
  }
  return {
    int: (field, fallback = 0) => scalar(field, fallback, (found) => view.getInt32(found, true)),
    byte: (field, fallback = 0) => scalar(field, fallback, (found) => view.getUint8(found)),
    uint: (field, fallback = 0) => scalar(field, fallback, (found) => view.getUint32(found, true)),
    text: (field) => new TextDecoder().decode(bytes(field)),
    table(field) {
      const found = target(field)
      return found === null ? null : tableAt(view, found)
    },
    tables: (field) => vector(field, 4, (found) => tableAt(view, found + view.getUint32(found, true))),
    ints: (field) => vector(field, 4, (found) => view.getInt32(found, true)),
    uint16s: (field) => vector(field, 2, (found) => view.getUint16(found, true)),
    bytes,
    placeOf: target,
    placesOf: (field) => vector(field, 4, (found) => found + view.getUint32(found, true)),
  }
}
