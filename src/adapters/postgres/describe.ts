import type { Column } from '../../domain/column.ts'
import { EtlError, nearest } from '../../domain/error.ts'
import type { PostgresSource } from '../../domain/source.ts'
import type { Field } from './decode.ts'
import type { Session } from './session.ts'
import { type PgType, wayOf } from './types.ts'

/** A column of a query's result. */
export type ResultColumn = { readonly name: string; readonly type: PgType }

/** A column that is read, its way, and how the outer SELECT writes it. */
export type Read = Field & { readonly cast: string | null }

/**
 * The columns that a query gives, by asking the server; no row is read.
 * @throws EtlError as the server refuses the query; `schema` for what can't be read: a name that stands twice or is none.
 */
export async function describe(session: Session, source: PostgresSource): Promise<readonly ResultColumn[]> {
  const { fields } = await session.query(`SELECT * FROM (\n${source.query.text}\n) AS q LIMIT 0`)
  const names = fields.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined)
    throw new EtlError('schema', `the query of ${source.database} gives the column ${twice} twice.`, {
      hint: `give each an alias of its own: SELECT a.${twice} AS ${twice}, b.${twice} AS ${twice}_2`,
    })
  const oids = fields.map(({ dataTypeID }) => dataTypeID)
  const modifiers = fields.map(({ dataTypeModifier }) => dataTypeModifier)
  const { rows } = await session.query(catalogue, [oids, modifiers])
  // Such a database sends bytes as they were written, by whatever client.
  if (rows[0]?.encoding === 'SQL_ASCII')
    throw new EtlError('schema', `${source.database} has the encoding SQL_ASCII: nobody knows what its texts are.`, {
      hint: 'convert it to UTF8, or read bytea with convert_to and decode it in the transform',
    })
  return rows.map(({ type, text, kind, element, element_kind }, index) => ({
    name: names[index] as string,
    type: {
      name: type,
      text,
      kind,
      ...(element === null ? {} : { element: { name: element, text: element, kind: element_kind } }),
    },
  }))
}

/** A domain is what it is made of: in a result it is that already, in an array it is not. */
const catalogue = `SELECT t.typname AS type, format_type(a.oid, nullif(a.modifier, -1)) AS text, t.typtype AS kind,
  coalesce(b.typname, e.typname) AS element, coalesce(b.typtype, e.typtype) AS element_kind, current_setting('server_encoding') AS encoding
FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS a (oid, modifier, place)
JOIN pg_catalog.pg_type AS t ON t.oid = a.oid
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A' AND t.typlen = -1
LEFT JOIN pg_catalog.pg_type AS b ON e.typtype = 'd' AND b.oid = e.typbasetype
ORDER BY a.place`

/**
 * How the columns of the row schema are read from those of the query.
 * @throws EtlError `schema` with all that does not fit: a missing column, a type, with the cast that helps.
 */
export function readsOf(source: PostgresSource, wanted: readonly Column[], there: readonly ResultColumn[]): readonly Read[] {
  const problems: string[] = []
  const reads = wanted.flatMap(column => {
    const found = there.find(({ name }) => name === column.name)
    if (found === undefined) {
      problems.push(`there is no column ${column.name}${guess(column.name, there)}`)
      return []
    }
    const way = wayOf(found.type, column)
    if (!('expected' in way)) return [{ column, ...way }]
    problems.push(`${column.name} is ${found.type.text}, expected ${way.expected}: write ${way.instead}`)
    return []
  })
  if (problems.length === 0) return reads
  throw new EtlError('schema', `the query of ${source.database} does not fit its row schema: ${problems.join('; ')}.`, {
    hint: `it gives ${there.map(({ name, type }) => `${name} ${type.text}`).join(', ')}. If a type changed since yesterday, somebody migrated the table: change the query or the row schema`,
  })
}

function guess(name: string, there: readonly ResultColumn[]): string {
  const names = there.map(column => column.name)
  const similar = nearest(name, names)
  if (similar === undefined) return ''
  return similar.toLowerCase() === name.toLowerCase()
    ? ` (${similar} is another name: write ${similar} AS "${name}")`
    : ` (did you mean ${similar}?)`
}
