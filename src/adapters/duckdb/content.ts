import type { Column, ColumnType } from '../../domain/column.ts'
import { contentMark } from '../../domain/content.ts'
import { quoted } from './types.ts'

/** The hash of the rows of a table as BigQuery works it out over a stage of them (src/domain/content.ts), in DuckDB's SQL: one value. */
export function spoolContentSql(columns: readonly Column[], table: string): string {
  // One call: a chain of || is as deep as the table has columns, and DuckDB's parser ends at 1 000.
  const row = `concat(${columns.map(column => textOf(column, quoted(column.name))).join(', ')})`
  const sum = (from: number) => `coalesce(sum(('0x' || substr(h, ${from}, 15))::BIGINT), 0)`
  return `SELECT concat('${contentMark(columns)}', count(*), '-', ${sum(1)}, '-', ${sum(16)}) FROM (SELECT md5(${row}) AS h FROM ${table})`
}

function textOf(column: Column, value: string, depth = 0): string {
  if (column.mode === 'REPEATED') {
    // No column is called so: DuckDB takes a column of the name first, and the parameter only then.
    const element = quoted(`element ${depth}`)
    const one = textOf({ ...column, mode: 'NULLABLE' }, element, depth + 1)
    return `len(${value}) || '[' || coalesce(array_to_string(list_transform(${value}, lambda ${element}: ${one}), ''), '') || ']'`
  }
  if (column.type !== 'RECORD') return `coalesce(${scalarText(column.type, value)}, 'n;')`
  const fields = (column.fields ?? []).map(field => textOf(field, `${value}.${quoted(field.name)}`, depth))
  return `CASE WHEN ${value} IS NULL THEN 'n;' ELSE concat('{', ${fields.join(', ')}, '}') END`
}

/** NULL for NULL. */
function scalarText(type: Exclude<ColumnType, 'RECORD'>, value: string): string {
  switch (type) {
    case 'INT64':
    case 'BOOL':
    case 'DATE':
      return `${value}::VARCHAR || ';'`
    case 'NUMERIC':
      return `rtrim(rtrim(${value}::VARCHAR, '0'), '.') || ';'`
    case 'FLOAT64':
      return `CASE WHEN ${value} = 0 THEN '0;' WHEN isnan(${value}) THEN 'nan;' ELSE printf('%.17g;', ${value}) END`
    case 'TIMESTAMP':
    case 'DATETIME':
    case 'TIME':
      return `epoch_us(${value}) || ';'`
    case 'BYTES':
      return `lower(hex(${value})) || ';'`
    case 'GEOGRAPHY':
      return `CASE WHEN ${value} IS NOT NULL THEN 'g;' END`
    default:
      return `strlen(${value}) || ':' || ${value}`
  }
}
