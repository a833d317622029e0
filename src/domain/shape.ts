import { createHash } from 'node:crypto'
import type { Column } from './column.ts'
import type { Pipeline } from './pipeline.ts'

type Declared = Pick<Pipeline, 'to' | 'write'>

/** What a pipeline declared of its target: noted in the ledger (`evolved`) whenever it is another one, so that the next schema can be compared with it. */
export type Shape = {
  readonly mode: string
  readonly key: readonly string[]
  /** The type of each column as people write it, with a `?` behind it where NULL is allowed. */
  readonly columns: Readonly<Record<string, string>>
}

/** The shape that a pipeline declares now. */
export function shapeOf({ to, write }: Declared): Shape {
  const columns = to.row.columns.map(column => [column.name, `${typeText(column)}${column.mode === 'NULLABLE' ? '?' : ''}`])
  return { mode: write.mode, key: to.row.key, columns: Object.fromEntries(columns) }
}

/** The shape of a ledger's note; null if there is none or it is none of ours. */
export function shapeFrom(message: string | null | undefined): Shape | null {
  if (message === null || message === undefined) return null
  try {
    const { mode, key, columns } = JSON.parse(message) as Partial<Shape>
    return mode === undefined || key === undefined || columns === undefined ? null : { mode, key, columns }
  } catch {
    return null
  }
}

/** Sixteen hex digits that differ where anything differs that decides how a target's tables look: columns, rules, key, write mode. */
export function schemaHash({ to, write }: Declared): string {
  const { dataset: _, table: __, row, ...rest } = to
  const all = { columns: row.columns, key: row.key, ...rest, write }
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 16)
}

/** The type as people write it: `ARRAY<STRUCT<a INT64>>`. */
export function typeText(column: Column): string {
  const one =
    column.type === 'RECORD'
      ? `STRUCT<${(column.fields ?? []).map(field => `${field.name} ${typeText(field)}`).join(', ')}>`
      : column.type
  return column.mode === 'REPEATED' ? `ARRAY<${one}>` : one
}
