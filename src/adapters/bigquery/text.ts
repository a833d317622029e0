import type { Column } from '../../domain/column.ts'
import { nameIn } from '../../domain/env.ts'
import { EtlError } from '../../domain/error.ts'
import { datesCondition, literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import { type TableSource, tableRef } from '../../domain/source.ts'
import { sqlText } from '../../domain/sql.ts'
import type { ReadRequest } from '../../ports/reader.ts'

/** Whose names: the project of `dataset.table`, and the environment of `env({ … })`. */
export type Names = { readonly project: string; readonly environment: string }

/** What a reader runs: the named columns, never `*`, slice after slice. */
export function readText(names: Names, source: TableSource, { columns, slices }: ReadRequest): string {
  const select = `SELECT ${columns.map(column => literal.name(column.name)).join(', ')} FROM ${sourceTable(names, source, columns)}`
  if (slices === null) return select
  return `${select} WHERE ${datesCondition(slices.column, slices.dates)} ORDER BY ${literal.name(slices.column)}`
}

/** A sql transform as one query: each source stands in front by its name, its columns and slices only. The author's text stays as it is. */
export function queryText(names: Names, pipeline: NamedPipeline, dates: readonly string[] | null): string {
  const { transform, write, to } = pipeline
  if (transform.kind !== 'sql') throw new EtlError('bug', 'only a sql transform has a text.')
  const sources = transform.names
    .filter((name, index) => transform.names.indexOf(name) === index)
    .map(name => {
      const source = pipeline.from[name]
      if (source?.kind !== 'table') throw new EtlError('bug', `source ${name} is no table.`)
      const columns = source.row.columns.map(column => literal.name(column.name)).join(', ')
      const where = write.mode === 'partition' && dates !== null ? ` WHERE ${datesCondition(write.column, dates)}` : ''
      return `${literal.name(name)} AS (\n  SELECT ${columns} FROM ${sourceTable(names, source, source.row.columns)}${where}\n)`
    })
  const columns = to.row.columns.map(column => literal.name(column.name)).join(', ')
  return `WITH ${sources.join(', ')}\nSELECT ${columns} FROM (\n${sqlText(transform).trim().replace(/;$/, '')}\n)`
}

/** A source's table, of which these columns are read. */
function sourceTable(names: Names, source: TableSource, columns: readonly Column[]): string {
  return literal.from(
    sourceRef(names, source),
    columns.map(column => column.name),
  )
}

export function sourceRef(names: Names, source: TableSource) {
  return tableRef(nameIn(source.table, names.environment), names.project)
}
