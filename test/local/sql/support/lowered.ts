import { createGoogleSql } from '../../../../src/googlesql/analyse.ts'
import { evaluate } from '../../../../src/googlesql/evaluate.ts'
import type { Field, Value } from '../../../../src/googlesql/field.ts'
import { child, children } from '../../../../src/googlesql/tree.ts'
import type { QueryParameter } from '../../../../src/local/contract.ts'
import { createConflicts } from '../../../../src/local/sql/conflicts.ts'
import { NotLowered } from '../../../../src/local/sql/lower/grammar.ts'
import { lowerQuery } from '../../../../src/local/sql/lower/scan.ts'
import { readParameters } from '../../../../src/local/sql/parameters.ts'
import { loweringOf, schemaOf } from '../../../../src/local/sql/query.ts'
import { prepare, type Session } from '../../../../src/local/sql/session.ts'
import { fromDuck } from '../../../../src/local/sql/values.ts'
import type { Bench } from './bench.ts'

/** The same query on both sides: on DuckDB by the closed grammar, and on Google's evaluator with the same rows. */
export type Both = {
  /** Rows, or the error's message, of each. `duck` is undefined where the grammar doesn't take the query; `part` says why. */
  readonly duck: Answer | undefined
  readonly google: Answer
  readonly part?: string
}
export type Answer = { readonly rows: Value[][] } | { readonly error: string }

/** Asks both sides. `table` is the rows of `P.D.t`. */
export function compareOn(bench: Bench) {
  const google = createGoogleSql()
  return {
    close: () => google.close(),
    async ask(
      sql: string,
      table: { schema: readonly Field[]; rows: readonly (readonly Value[])[] },
      parameters: readonly QueryParameter[] = [],
    ): Promise<Both> {
      const objects = table.rows.map(row =>
        Object.fromEntries(table.schema.map((field, index) => [field.name, row[index] ?? null])),
      )
      const read = readParameters(parameters)
      const asked = evaluate({ sql, tables: { 'P.D.t': { schema: table.schema, rows: objects } }, parameters: read }, google)
      const googleAnswer = await answer(
        asked.then(({ schema, rows }) => rows.map(row => schema.map(field => row[field.name] ?? null))),
      )
      const catalogue = await bench.database.connect()
      try {
        const script = Buffer.from(sql)
        const tree = await google.parse(sql)
        const [statement] = children(child(tree, 'statementListNode') ?? {}, 'statementList')
        const session: Session = {
          store: bench.database,
          catalogue,
          google,
          conflicts: createConflicts(),
          external: { urlOf: () => undefined },
          request: { jobId: 'j', project: 'P', sql, parameters: [], dryRun: false, signal: new AbortController().signal },
          script,
          paths: await google.tableNames(sql),
          parameters: read,
          variables: new Map(),
          written: new Map(),
          transaction: undefined,
          isolated: false,
          rowCount: 0,
        }
        const prepared = await prepare(session, statement ?? {}, { start: 0, end: script.length })
        const schema = schemaOf(prepared.resolved)
        const text = lowerQuery(
          child(prepared.resolved, 'query') ?? {},
          children(prepared.resolved, 'outputColumnList'),
          schema,
          await loweringOf(session, prepared, '2026-01-01T00:00:00Z'),
        )
        const ran = catalogue.connection.runAndReadAll(text)
        const duck = await answer(
          ran.then(result => result.getRows().map(row => schema.map((field, index) => fromDuck(row[index], field)))),
        )
        return { duck, google: googleAnswer }
      } catch (error) {
        if (error instanceof NotLowered) return { duck: undefined, google: googleAnswer, part: error.part }
        throw error
      } finally {
        catalogue.connection.closeSync()
      }
    },
  }
}

/** Rows as text that tells all values apart but 0 and -0 (GoogleSQL has them equal, and may give either); sorted unless the order counts. */
export function canonical(rows: readonly (readonly Value[])[], ordered: boolean): string[] {
  const lines = rows.map(row => row.map(show).join(' | '))
  return ordered ? lines : lines.sort()
}

function show(value: Value): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return value === 0 ? '0' : String(value)
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${(value as Value[]).map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, each]) => `${name}: ${show(each)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}

async function answer(rows: Promise<Value[][]>): Promise<Answer> {
  try {
    return { rows: await rows }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
