/** Writes small FlatBuffers, front to back, so that they can stand before a file that they point into. */

/** What a field or a vector may point at. */
export type Node =
  | { kind: 'table'; fields: readonly Field[] }
  | { kind: 'tables'; items: readonly Node[] }
  | { kind: 'floats'; values: readonly number[] }
  | { kind: 'text'; text: string }
  /** A vector of bytes; they begin at a multiple of 16, as TFLite wants of tensors. */
  | { kind: 'bytes'; bytes: Uint8Array }
  /** What stands at this place of the file that follows. */
  | { kind: 'behind'; at: number }

/** Null: absent, the schema's default holds. Scalars fill four bytes, which is enough for every one that is written here. */
export type Field = { number: number } | { to: Node } | null

const BODY_ALIGNMENT = 16
/** Offset of the root and the file identifier. */
const HEAD_BYTES = 8

/** The bytes of a FlatBuffer with this root, and behind it the file that its nodes of kind `behind` point into. */
export function writeFlatBuffer(
  root: Node,
  identifier: string,
  behind: Uint8Array = new Uint8Array(),
): Uint8Array {
  const places = new Map<Node, number>()
  let size = HEAD_BYTES
  for (const node of inOrder(root)) {
    const place = placeAfter(node, size)
    places.set(node, place)
    size = place + bytesOf(node)
  }
  const base = aligned(size, BODY_ALIGNMENT)
  const file = new Uint8Array(base + behind.length)
  file.set(behind, base)
  const view = new DataView(file.buffer)
  const placeOf = (node: Node) => (node.kind === 'behind' ? base + node.at : (places.get(node) ?? 0))
  view.setUint32(0, placeOf(root), true)
  file.set(new TextEncoder().encode(identifier), 4)
  for (const [node, place] of places) write(node, place, { file, view, placeOf })
  return file
}

/** Parents before children: offsets only lead forward. */
function inOrder(root: Node): Node[] {
  const order = [root]
  for (const node of order) order.push(...childrenOf(node).filter(({ kind }) => kind !== 'behind'))
  return order
}

function childrenOf(node: Node): Node[] {
  if (node.kind === 'tables') return [...node.items]
  if (node.kind !== 'table') return []
  return node.fields.flatMap((field) => (field !== null && 'to' in field ? [field.to] : []))
}

/** A table's own place is behind its vtable, which stands right before it. */
function placeAfter(node: Node, end: number): number {
  if (node.kind === 'table') return aligned(end + vtableBytes(node.fields), 4)
  if (node.kind === 'bytes') return aligned(end + 4, BODY_ALIGNMENT) - 4
  return aligned(end, 4)
}

function bytesOf(node: Node): number {
  switch (node.kind) {
    case 'table':
      return 4 + 4 * node.fields.filter((field) => field !== null).length
    case 'tables':
      return 4 + 4 * node.items.length
    case 'floats':
      return 4 + 4 * node.values.length
    case 'text':
      return 4 + new TextEncoder().encode(node.text).length + 1
    case 'bytes':
      return 4 + node.bytes.length
    case 'behind':
      return 0
  }
}

interface Paper {
  file: Uint8Array
  view: DataView
  placeOf: (node: Node) => number
}

function write(node: Node, place: number, { file, view, placeOf }: Paper): void {
  if (node.kind === 'table') writeTable(node.fields, place, { file, view, placeOf })
  const bytes =
    node.kind === 'text' ? new TextEncoder().encode(node.text) : node.kind === 'bytes' ? node.bytes : null
  if (bytes !== null) {
    view.setUint32(place, bytes.length, true)
    file.set(bytes, place + 4)
    return
  }
  if (node.kind === 'floats') {
    view.setUint32(place, node.values.length, true)
    node.values.forEach((value, at) => {
      view.setFloat32(place + 4 + 4 * at, value, true)
    })
  }
  if (node.kind === 'tables') {
    view.setUint32(place, node.items.length, true)
    node.items.forEach((item, at) => {
      const from = place + 4 + 4 * at
      view.setUint32(from, placeOf(item) - from, true)
    })
  }
}

function writeTable(fields: readonly Field[], place: number, { view, placeOf }: Paper): void {
  const vtable = place - vtableBytes(fields)
  view.setInt32(place, place - vtable, true)
  view.setUint16(vtable, vtableBytes(fields), true)
  let at = 4
  fields.forEach((field, index) => {
    if (field === null) return
    view.setUint16(vtable + 4 + 2 * index, at, true)
    if ('to' in field) view.setUint32(place + at, placeOf(field.to) - (place + at), true)
    else view.setInt32(place + at, field.number, true)
    at += 4
  })
  view.setUint16(vtable + 2, at, true)
}

function vtableBytes(fields: readonly Field[]): number {
  return 4 + 2 * fields.length
}

function aligned(at: number, to: number): number {
  return Math.ceil(at / to) * to
}
