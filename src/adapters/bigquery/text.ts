import { added } from '../../domain/audit.ts'
import type { Column } from '../../domain/column.ts'
import { nameIn } from '../../domain/env.ts'
import { EtlError } from '../../domain/error.ts'
import { datesCondition, literal } from '../../domain/literal.ts'
import type { AuditTable } from '../../domain/own-audits.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { Plan } from '../../domain/plan.ts'
import type { TargetTables } from '../../domain/run.ts'
import { type QuerySource, type TableRef, type TableSource, tableRef } from '../../domain/source.ts'
import { type Sql, sqlText } from '../../domain/sql.ts'
import type { ReadRequest } from '../../ports/reader.ts'
import { externalRows } from './external-text.ts'
import { keysCondition } from './keys.ts'
import { fromStage } from './staged.ts'

/** Whose names: the project of `dataset.table`, the project and location of a connection, and the environment of `env({ … })`. */
export type Names = { readonly project: string; readonly location: string; readonly environment: string }

/** What a reader runs: the named columns, never `*`, slice after slice; of a table as it was, if that is asked for. */
export function readText(names: Names, source: TableSource | QuerySource, request: ReadRequest): string {
  const { columns, slices, keys, asOf } = request
  const from = fromSource(names, source, columns, asOf)
  const select = `SELECT ${columns.map(column => literal.name(column.name)).join(', ')} FROM ${from}`
  const wanted = keys === undefined || keys === null ? null : keysCondition(keys)
  if (slices === null) return wanted === null ? select : `${select} WHERE ${wanted}`
  return `${select} WHERE ${datesCondition(slices.column, slices.dates)} ORDER BY ${literal.name(slices.column)}`
}

/** A sql transform as one query: each source stands in front by its name, its columns and slices only. The author's text stays as it is. */
export function queryText(
  names: Names,
  pipeline: NamedPipeline,
  dates: readonly string[] | null,
  windows: Plan['windows'] = {},
): string {
  const { transform, write, to } = pipeline
  if (transform.kind !== 'sql') throw new EtlError('bug', 'only a sql transform has a text.')
  const sources = transform.names
    .filter((name, index) => transform.names.indexOf(name) === index)
    .map(name => {
      const source = pipeline.from[name]
      const slices = write.mode === 'partition' && dates !== null ? { column: write.column, dates } : null
      if (source?.kind === 'external') {
        // BigQuery: Query syntax, WITH: "BigQuery doesn't materialize the results of non-recursive CTEs": each use is a statement of its own there.
        if (transform.names.filter(other => other === name).length > 1)
          throw new EtlError(
            'pipeline',
            `the sql transform names the source ${name} more than once: each time it would be read anew.`,
            {
              hint: 'name it once: join or filter what it gives in pg`…`, or use one query with window functions',
            },
          )
        const request = { columns: source.row.columns, slices, window: windows[name] ?? null }
        return `${literal.name(name)} AS (\n  ${externalRows(names, source, request)}\n)`
      }
      if (source?.kind !== 'table' && source?.kind !== 'query')
        throw new EtlError('bug', `source ${name} is nothing that a query can read.`)
      const columns = source.row.columns.map(column => literal.name(column.name)).join(', ')
      const where = slices === null ? '' : ` WHERE ${datesCondition(slices.column, slices.dates)}`
      return `${literal.name(name)} AS (\n  SELECT ${columns} FROM ${fromSource(names, source, source.row.columns)}${where}\n)`
    })
  const columns = to.row.columns.map(column => literal.name(column.name)).join(', ')
  return `WITH ${sources.join(', ')}\nSELECT ${columns} FROM (\n${authorsText(transform)}\n)`
}

/** What an author's audits name: the staged rows as the target would have them, and what the target holds now. */
export function auditTables(
  pipeline: NamedPipeline,
  tables: TargetTables,
  stage: TableRef,
  names: readonly AuditTable[],
): string {
  const { columns } = pipeline.to.row
  const { write } = pipeline
  const upserts = write.mode === 'merge' && write.deletes === 'missing' ? ` WHERE ${added}` : ''
  const quoted = columns.map(column => literal.name(column.name))
  const texts: Record<AuditTable, () => string> = {
    result: () =>
      `SELECT ${columns.map((column, index) => `${fromStage(column)} AS ${quoted[index]}`).join(', ')} FROM ${literal.table(stage)}${upserts}`,
    current: () =>
      `SELECT ${quoted.join(', ')} FROM ${literal.from(
        tables.target,
        columns.map(column => column.name),
      )}`,
  }
  return names.length === 0 ? '' : `WITH ${names.map(name => `${literal.name(name)} AS (\n  ${texts[name]()}\n)`).join(', ')}\n`
}

/** What stands behind FROM: the table, of which these columns are read, or the author's query as it is. */
export function fromSource(
  names: Names,
  source: TableSource | QuerySource,
  columns: readonly Column[],
  asOf: string | null = null,
): string {
  if (source.kind === 'query') return `(\n${authorsText(source.query)}\n)`
  return literal.from(
    sourceRef(names, source),
    columns.map(column => column.name),
    asOf,
  )
}

/** An author's query as a part of another one: a semicolon at its end would end both. */
export function authorsText(query: Sql): string {
  return sqlText(query).trim().replace(/;$/, '')
}

export function sourceRef(names: Names, source: TableSource) {
  return tableRef(nameIn(source.table, names.environment), names.project)
}
