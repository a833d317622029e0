import type { AnyRow, Column, Value } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import type { Pipeline } from '../domain/pipeline.ts'
import { type Sql, sqlText } from '../domain/sql.ts'
import { evaluate } from '../googlesql/evaluate.ts'
import type { Field } from '../googlesql/field.ts'
import type { SourceRows } from './cases.ts'

/**
 * Rows of a query over source rows, by Google's evaluator; the columns go by name and must have the target's types.
 * @throws EtlError `query` with what the evaluator said, `schema` for a column that is missing or of another type.
 */
export async function evaluated(pipeline: Pipeline, query: Sql, rows: SourceRows): Promise<AnyRow[]> {
  const tables = Object.fromEntries(
    Object.entries(pipeline.from).map(([name, source]) => [name, { schema: source.row.columns, rows: rows[name] ?? [] }]),
  )
  const result = await evaluate({ sql: sqlText(query), tables }).catch(error => {
    throw new EtlError('query', `Google's evaluator says: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    })
  })
  const pairs = pipeline.to.row.columns.map(column => ({ column, name: resultColumn(column, result.schema) }))
  return result.rows.map(row =>
    Object.fromEntries(pairs.map(({ column, name }) => [column.name, inMemory(column, row[name] ?? null)])),
  )
}

function resultColumn(column: Column, schema: readonly Field[]): string {
  const field = schema.find(each => each.name.toLowerCase() === column.name.toLowerCase())
  const given = schema.map(each => `${each.name} ${each.type}`).join(', ')
  if (field === undefined)
    throw new EtlError('schema', `the query gives no column ${column.name} (it gives ${given}).`, {
      hint: `name it: … AS ${column.name}`,
    })
  if (field.type !== column.type || (field.mode === 'REPEATED') !== (column.mode === 'REPEATED')) {
    throw new EtlError(
      'schema',
      `the query gives ${column.name} as ${field.mode === 'REPEATED' ? 'ARRAY of ' : ''}${field.type}, and the row schema says ${column.type}.`,
      {
        hint: `cast it: CAST(… AS ${column.type}) AS ${column.name}`,
      },
    )
  }
  return field.name
}

/** The evaluator's INT64 is always a bigint; a z.int() column's value is a number. */
function inMemory(column: Column, value: Value): Value {
  if (value === null) return null
  if (column.mode === 'REPEATED')
    return (value as readonly Value[]).map(element => inMemory({ ...column, mode: 'NULLABLE' }, element))
  if (column.type === 'INT64' && column.bigint !== true && typeof value === 'bigint') {
    const number = Number(value)
    return BigInt(number) === value && Number.isSafeInteger(number) ? number : value
  }
  if (column.type !== 'RECORD') return value
  const record = value as { readonly [name: string]: Value }
  return Object.fromEntries((column.fields ?? []).map(field => [field.name, inMemory(field, record[field.name] ?? null)]))
}
