import { createGoogleSql, type GoogleSql, type Rows } from './analyse.ts'
import { resultNames } from './columns.ts'
import { cut } from './edit.ts'
import { GoogleSqlError } from './error.ts'
import type { Field, Value } from './field.ts'
import { parts, tableUses } from './tables.ts'
import { child, children } from './tree.ts'

/** A query, the tables it may name (`table`, `dataset.table` or `project.dataset.table`, as the query writes them) and its parameters. */
export type Evaluation = {
  readonly sql: string
  readonly tables: {
    readonly [name: string]: { readonly schema: readonly Field[]; readonly rows: readonly { readonly [column: string]: Value }[] }
  }
  readonly parameters?: readonly { readonly field: Field; readonly value: Value }[]
}

/** A result with its columns and its rows by column name. */
export type Evaluated = { readonly schema: Field[]; readonly rows: { [column: string]: Value }[] }

/**
 * Evaluates one query on Google's evaluator, without any server of ours. `google` may be shared between calls; else one of the process is used.
 * Throws GoogleSqlError, with positions as the given text counts them.
 */
export async function evaluate({ sql, tables, parameters = [] }: Evaluation, google: GoogleSql = shared()): Promise<Evaluated> {
  const tree = await google.parse(sql)
  const [statement, ...more] = children(child(tree, 'statementListNode') ?? {}, 'statementList')
  if (statement === undefined || more.length > 0)
    throw new GoogleSqlError('unable', 'exactly one query can be evaluated at a time')
  const paths = await google.tableNames(sql)
  const uses = tableUses(statement, paths)
  const bytes = Buffer.from(sql)
  const names = new Map(Object.keys(tables).map(name => [name.toLowerCase(), name]))
  const edits = uses.map(use => {
    const name = names.get(parts(use.path).join('.').toLowerCase())
    if (name === undefined) throw new GoogleSqlError('invalid', `Table not found: ${parts(use.path).join('.')}`)
    return use.edit(name)
  })
  const piece = cut(bytes, { start: 0, end: bytes.length }, edits)
  const content = new Map<string, Rows>(
    Object.entries(tables).map(([name, { schema, rows }]) => [
      name,
      rows.map(row => schema.map(field => row[field.name] ?? null)),
    ]),
  )
  const scope = { tables: Object.entries(tables).map(([name, { schema }]) => ({ name, schema })), parameters }
  try {
    const result = await google.query(piece.text, scope, content)
    const schema = resultNames(result.schema)
    return {
      schema,
      rows: result.rows.map(row => Object.fromEntries(schema.map((field, index) => [field.name, row[index] ?? null]))),
    }
  } catch (error) {
    throw piece.relocate(error)
  }
}

/** Ends the evaluator that `evaluate` shares within a process. It also ends by itself with the process. */
export async function closeShared(): Promise<void> {
  await common?.close()
  common = undefined
}

let common: GoogleSql | undefined

function shared(): GoogleSql {
  common ??= createGoogleSql()
  return common
}
