import type { Column } from '../../domain/column.ts'
import { literal } from '../../domain/literal.ts'

/*
 * Two types are staged as STRING: BIGNUMERIC, since the writer of Parquet ends at 38 digits, and JSON, since a load job of Parquet takes no
 * JSON column ("Unsupported field type: JSON"). The publish turns them back, inside records and arrays too.
 */

/**
 * The column as a stage has it: nothing is required there, since Parquet files say "optional" of every column, and since the audit tells
 * more about a NULL than a refused load would.
 */
export function stageColumn(column: Column): Column {
  const { description, ...rest } = column
  return {
    ...rest,
    type: isText(column) ? 'STRING' : column.type,
    mode: column.mode === 'REPEATED' ? 'REPEATED' : 'NULLABLE',
    ...(column.fields === undefined ? {} : { fields: column.fields.map(stageColumn) }),
  }
}

/** SQL: a staged column as the target has it. */
export function fromStage(column: Column): string {
  return converted(column, literal.name(column.name), 0, (type, value) =>
    type === 'JSON' ? `PARSE_JSON(${value})` : `CAST(${value} AS BIGNUMERIC)`,
  )
}

/** SQL: a column of a query as a stage has it. */
export function toStage(column: Column): string {
  return converted(column, literal.name(column.name), 0, (type, value) =>
    type === 'JSON' ? `TO_JSON_STRING(${value})` : `CAST(${value} AS STRING)`,
  )
}

/** Does the stage hold it in another type? */
function isConverted(column: Column): boolean {
  return isText(column) || (column.fields ?? []).some(isConverted)
}

function isText(column: Column): boolean {
  return column.type === 'BIGNUMERIC' || column.type === 'JSON'
}

function converted(
  column: Column,
  value: string,
  depth: number,
  scalar: (type: Column['type'], value: string) => string,
): string {
  if (!isConverted(column)) return value
  if (column.mode === 'REPEATED') {
    const [element, position] = [`e${depth}`, `o${depth}`]
    const one = converted({ ...column, mode: 'REQUIRED' }, element, depth + 1, scalar)
    return `ARRAY(SELECT ${one} FROM UNNEST(${value}) AS ${element} WITH OFFSET AS ${position} ORDER BY ${position})`
  }
  if (column.type !== 'RECORD') {
    const one = scalar(column.type, value)
    return one.startsWith('TO_JSON_STRING') ? nullOr(value, one) : one
  }
  const fields = (column.fields ?? []).map(
    field => `${converted(field, `${value}.${literal.name(field.name)}`, depth, scalar)} AS ${literal.name(field.name)}`,
  )
  return nullOr(value, `STRUCT(${fields.join(', ')})`)
}

/** TO_JSON_STRING makes the text 'null' of NULL, STRUCT a record of it. Required columns too: before the audit they can hold NULL. */
function nullOr(value: string, made: string): string {
  return `IF(${value} IS NULL, NULL, ${made})`
}
