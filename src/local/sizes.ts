import type { Catalogue, Field, FieldType } from './contract.ts'
import { quoted, rowsOf } from './duck.ts'

/** The rows of a table and the bytes of some of its columns, by BigQuery's sizes. Of a table that stays each number is kept until the table changes. */
export async function sizesOf(
  { connection, kept }: Catalogue,
  physical: string,
  columns: readonly Field[],
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const scan = async (fields: readonly Field[]) => {
    const sums = fields.map((field, place) => `, ${byteSize([field])} AS c${place}`)
    const [row] = await rowsOf(connection, `SELECT count(*) AS n${sums.join('')} FROM ${physical}`)
    return new Map([[rowCount, Number(row?.n)], ...fields.map(({ name }, place) => [name, Number(row?.[`c${place}`])] as const)])
  }
  // The others are tables of one request.
  const isKept = physical.startsWith(quoted('_rows'))
  const found = (isKept ? await kept.sizes.find(connection, physical, () => scan(columns)) : undefined) ?? (await scan(columns))
  const missing = columns.filter(({ name }) => !found.has(name))
  const more = missing.length === 0 ? found : await scan(missing)
  for (const { name } of missing) found.set(name, more.get(name) ?? 0)
  return { rows: found.get(rowCount) ?? 0, bytes: columns.reduce((sum, { name }) => sum + (found.get(name) ?? 0), 0) }
}

/** No column is called so. */
const rowCount = ''

/**
 * A DuckDB aggregate: the bytes of these columns over all rows of a table.
 * BigQuery: Estimate storage and query costs, 'Data type sizes'. NULL counts 0.
 */
export function byteSize(columns: readonly Field[]): string {
  return `(${columns.map(total).join(' + ') || '0'})::BIGINT`
}

// How many values a column has, DuckDB mostly knows without reading it, and a text's length it takes from its dictionary, if nothing stands round it.
function total(field: Field): string {
  const column = quoted(field.name)
  if (field.mode === 'REPEATED' || field.type === 'RECORD') return `coalesce(sum(${size(field, column, 0)}), 0)`
  const fixed = fixedSizes[field.type]
  if (fixed !== undefined) return `count(${column}) * ${fixed}`
  return `coalesce(sum(${field.type === 'BYTES' ? 'octet_length' : 'strlen'}(${column})), 0) + count(${column}) * 2`
}

function size(field: Field, ref: string, depth: number): string {
  if (field.mode === 'REPEATED') {
    const element = `e${depth}`
    return `coalesce(list_sum(list_transform(${ref}, lambda ${element}: ${one(field, element, depth + 1)})), 0)`
  }
  return one(field, ref, depth)
}

function one(field: Field, ref: string, depth: number): string {
  if (field.type === 'RECORD') {
    const inside = (field.fields ?? []).map(each => size(each, `${ref}.${quoted(each.name)}`, depth))
    return `(${inside.join(' + ') || '0'})`
  }
  const fixed = fixedSizes[field.type]
  if (fixed !== undefined) return `if(${ref} IS NULL, 0, ${fixed})`
  return field.type === 'BYTES' ? `coalesce(2 + octet_length(${ref}), 0)` : `coalesce(2 + strlen(${ref}), 0)`
}

const fixedSizes: Partial<Record<FieldType, number>> = {
  INT64: 8,
  FLOAT64: 8,
  BOOL: 1,
  NUMERIC: 16,
  BIGNUMERIC: 32,
  TIMESTAMP: 8,
  DATE: 8,
  TIME: 8,
  DATETIME: 8,
}
