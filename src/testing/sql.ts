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
  const [result] = await evaluatedSets(pipeline, query, [rows])
  return result ?? []
}

/** The same for several sets of source rows in one request, which is several times quicker: one subquery a set, over tables of its own. */
export async function evaluatedSets(pipeline: Pipeline, query: Sql, sets: readonly SourceRows[]): Promise<AnyRow[][]> {
  const sources = Object.entries(pipeline.from)
  const tables = Object.fromEntries(
    sets.flatMap((rows, set) =>
      sources.map(([name, source]) => [
        tableOf(name, set),
        { schema: source.row.columns, rows: (rows[name] ?? []) as readonly AnyRow[] },
      ]),
    ),
  )
  const one = (set: number) => sqlText({ ...query, names: query.names.map(name => tableOf(name, set)) })
  const sql = sets.map((_, set) => `SELECT ${set} AS ${setColumn}, result.* FROM (${one(set)}\n) AS result`).join('\nUNION ALL\n')
  const answer = await evaluate({ sql: sets.length === 1 ? one(0) : sql, tables }).catch(error => {
    throw new EtlError('query', `Google's evaluator says: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    })
  })
  const pairs = pipeline.to.row.columns.map(column => ({ column, name: resultColumn(column, answer.schema) }))
  const results: AnyRow[][] = sets.map(() => [])
  for (const row of answer.rows) {
    const cells = pairs.map(({ column, name }) => [column.name, inMemory(column, row[name] ?? null)] as const)
    results[sets.length === 1 ? 0 : Number(row[setColumn])]?.push(Object.fromEntries(cells))
  }
  return results
}

const setColumn = '_set_of_rows'

/** A set's own table: the source's name for the first, so that an error speaks of it. */
function tableOf(name: string, set: number): string {
  return set === 0 ? name : `${name}__${set}`
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
