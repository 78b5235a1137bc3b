import { type Static, type TSchema, Type } from 'typebox'
import { CODES, type ErrorCode } from './errors.ts'

/** RFC 3339 UTC with milliseconds, the one way an instant leaves the hub. */
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC, milliseconds' })

const Pagination = Type.Object({
  page: Type.Integer(),
  per_page: Type.Integer(),
  total: Type.Integer(),
  pages: Type.Integer(),
})

/** Query fields of every paged list. */
export const PageQuery = Type.Object(
  {
    page: Type.Integer({ minimum: 1, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 200, default: 20 }),
  },
  { additionalProperties: false },
)
export type PageQuery = Static<typeof PageQuery>

/** Response schema of one answer. */
export function Ok<Data extends TSchema>(data: Data) {
  return Type.Object({ success: Type.Literal(true), data, timestamp: Timestamp })
}

/** Response schema of a paged list. */
export function OkPage<Item extends TSchema>(item: Item) {
  return Type.Object({
    success: Type.Literal(true),
    data: Type.Array(item),
    timestamp: Timestamp,
    pagination: Pagination,
  })
}

/** The body of every refusal. */
export const Failure = Type.Object({
  success: Type.Literal(false),
  error: Type.Object({
    code: Type.Enum(Object.keys(CODES) as [ErrorCode, ...ErrorCode[]]),
    message: Type.String(),
    details: Type.Array(
      Type.Object({ path: Type.String(), message: Type.String(), value: Type.Optional(Type.Unknown()) }),
    ),
  }),
  timestamp: Timestamp,
})

export function iso(atMs: number): string {
  return new Date(atMs).toISOString()
}

export function ok<Data>(nowMs: number, data: Data) {
  return { success: true as const, data, timestamp: iso(nowMs) }
}

/** One page of `items`, which were already cut to the page; `total` counts all. */
export function okPage<Item>(nowMs: number, items: Item[], query: PageQuery, total: number) {
  const pages = Math.ceil(total / query.per_page)
  return { ...ok(nowMs, items), pagination: { page: query.page, per_page: query.per_page, total, pages } }
}
