/** Reads PostgreSQL's own logical decoding (pgoutput, protocol 1), values as Postgres writes them. */

/** A row by column name; values in Postgres' text form. */
export type Tuple = Readonly<Record<string, string | null>>

export interface Relation {
  oid: number
  schema: string
  table: string
  columns: readonly { name: string; typeOid: number; typeMod: number }[]
}

/** `old` is there because synced tables have REPLICA IDENTITY FULL; without it only the key would be. */
export type Change =
  | { kind: 'insert'; relation: Relation; row: Tuple }
  | { kind: 'update'; relation: Relation; row: Tuple; old: Tuple | null }
  | { kind: 'delete'; relation: Relation; old: Tuple }
  | { kind: 'truncate'; relations: readonly Relation[] }
  /** The table's form, told before its first change and after each change of form. */
  | { kind: 'relation'; relation: Relation }

export interface Transaction {
  /** Position of the commit in the log. */
  lsn: bigint
  xid: number
  changes: Change[]
}

export interface Decoder {
  /** A whole transaction when the message ends one, else null. Throws for messages that are none. */
  read(message: Buffer): Transaction | null
}

/** A boolean is `t` on the wire and `true` in what clients of shapes read. */
const BOOL_OID = 16

/** Keeps the forms of the tables told so far, as the protocol asks for. */
export function createDecoder(): Decoder {
  const relations = new Map<number, Relation>()
  let open: Transaction | null = null
  const known = (oid: number) => {
    const relation = relations.get(oid)
    if (!relation) throw new Error(`The log speaks of table ${oid} before telling its form`)
    return relation
  }
  return {
    read(message) {
      const at = { place: 1 }
      switch (String.fromCharCode(message[0] ?? 0)) {
        case 'B':
          open = { lsn: message.readBigUInt64BE(1), xid: message.readUInt32BE(17), changes: [] }
          return null
        case 'C': {
          const whole = open
          open = null
          return whole
        }
        case 'R': {
          const relation = readRelation(message)
          relations.set(relation.oid, relation)
          open?.changes.push({ kind: 'relation', relation })
          return null
        }
        case 'I': {
          const relation = known(uint32(message, at))
          at.place += 1
          open?.changes.push({ kind: 'insert', relation, row: readTuple(message, at, relation, null) })
          return null
        }
        case 'U':
          open?.changes.push(readUpdate(message, at, known(uint32(message, at))))
          return null
        case 'D': {
          const relation = known(uint32(message, at))
          at.place += 1
          open?.changes.push({ kind: 'delete', relation, old: readTuple(message, at, relation, null) })
          return null
        }
        case 'T': {
          const count = uint32(message, at)
          at.place += 1
          const oids = Array.from({ length: count }, () => uint32(message, at))
          open?.changes.push({ kind: 'truncate', relations: oids.map(known) })
          return null
        }
        default:
          // Types, origins and messages tell nothing that a shape shows.
          return null
      }
    },
  }
}

interface Place {
  place: number
}

function uint32(message: Buffer, at: Place): number {
  at.place += 4
  return message.readUInt32BE(at.place - 4)
}

function text(message: Buffer, at: Place): string {
  const end = message.indexOf(0, at.place)
  const read = message.toString('utf8', at.place, end)
  at.place = end + 1
  return read
}

function readRelation(message: Buffer): Relation {
  const at = { place: 1 }
  const oid = uint32(message, at)
  const [schema, table] = [text(message, at), text(message, at)]
  at.place += 1
  const count = message.readUInt16BE(at.place)
  at.place += 2
  const columns = Array.from({ length: count }, () => {
    at.place += 1
    return { name: text(message, at), typeOid: uint32(message, at), typeMod: uint32(message, at) }
  })
  return { oid, schema, table, columns }
}

function readUpdate(message: Buffer, at: Place, relation: Relation): Change {
  const mark = String.fromCharCode(message[at.place] ?? 0)
  at.place += 1
  if (mark === 'N')
    return { kind: 'update', relation, row: readTuple(message, at, relation, null), old: null }
  const old = readTuple(message, at, relation, null)
  at.place += 1
  return { kind: 'update', relation, row: readTuple(message, at, relation, old), old }
}

function readTuple(message: Buffer, at: Place, { columns }: Relation, old: Tuple | null): Tuple {
  const tuple: Record<string, string | null> = {}
  const count = message.readUInt16BE(at.place)
  at.place += 2
  for (let index = 0; index < count; index += 1) {
    const column = columns[index]
    const mark = String.fromCharCode(message[at.place] ?? 0)
    at.place += 1
    if (!column) throw new Error('The log holds a row with more columns than its table')
    if (mark === 't') {
      const length = uint32(message, at)
      const value = message.toString('utf8', at.place, at.place + length)
      tuple[column.name] = shown(column.typeOid, value)
      at.place += length
    } else if (mark === 'u')
      tuple[column.name] = old?.[column.name] ?? null // A large value that did not change is not told again.
    else tuple[column.name] = null
  }
  return tuple
}

/** A value in the text form that clients of shapes read. */
export function shown(typeOid: number, value: string): string {
  if (typeOid !== BOOL_OID) return value
  return value === 't' ? 'true' : 'false'
}
