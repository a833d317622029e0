import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { type Pg, pgLiteral } from '../../domain/pg.ts'
import { externalCast, externalType } from '../../domain/pg-types.ts'
import { typeText } from '../../domain/shape.ts'
import type { ExternalSource } from '../../domain/source.ts'

/**
 * Asks Postgres what types the columns of a query have, without running it: a join on FALSE reads none of its rows. One row; the columns are t0, t1, …
 * A column that the query lacks, or gives twice, is an error of Postgres's.
 */
export function typesSql(query: Pg, columns: readonly Column[]): string {
  const types = columns.map(({ name }, index) => `pg_typeof(q.${pgLiteral.name(name)})::text AS t${index}`)
  return `SELECT ${types.join(', ')} FROM (SELECT 1) AS one LEFT JOIN (\n${query.text}\n) AS q ON FALSE`
}

/** The columns with the types that EXTERNAL_QUERY gives them. Throws EtlError `schema` for a type that it refuses, with the cast, and for one that the row schema has not. */
export function checkTypes(
  { row: { columns }, decimals }: ExternalSource,
  types: readonly string[],
  what: string,
): readonly { readonly name: string; readonly type: string }[] {
  const found = columns.map((column, index) => {
    const postgres = types[index] ?? ''
    return { column, postgres, type: externalType(postgres, decimals) }
  })
  const refused = found.filter(({ type }) => type === null)
  const [one] = refused
  if (one !== undefined) {
    const list = refused.map(({ column, postgres }) => `${column.name} is ${postgres}`).join(', ')
    throw new EtlError('schema', `${what}: EXTERNAL_QUERY does not take these types: ${list}.`, {
      hint: `cast them in the query: ${refused.map(({ column, postgres }) => externalCast(column.name, postgres)).join(', ')}`,
    })
  }
  const other = found.filter(({ column, type }) => column.mode === 'REPEATED' || column.type !== type)
  if (other.length > 0) {
    const list = other.map(
      ({ column, postgres, type }) =>
        `${column.name} is ${postgres} in Postgres, which becomes ${type}, and the row schema says ${typeText(column)}`,
    )
    throw new EtlError('schema', `${what}: ${list.join('; ')}.`, { hint: mismatchHint(other) })
  }
  return found.map(({ column, type }) => ({ name: column.name, type: type ?? '' }))
}

function mismatchHint(other: readonly { readonly column: Column; readonly postgres: string }[]): string {
  const wants = other.find(({ column, postgres }) => postgres === 'numeric' && column.type in decimalOptions)
  const option = decimalOptions[wants?.column.type ?? '']
  const decimals = option === undefined ? '' : `, or say what a numeric becomes: external(…, { decimals: '${option}' })`
  return `cast the column in the query, or correct the row schema${decimals}`
}

const decimalOptions: Readonly<Record<string, string>> = {
  NUMERIC: 'numeric',
  BIGNUMERIC: 'bignumeric',
  FLOAT64: 'float64',
  STRING: 'string',
}
