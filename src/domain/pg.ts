import { EtlError } from './error.ts'

/** A query in Postgres' own SQL, with its values rendered. */
export type Pg = { readonly kind: 'pg'; readonly text: string }

/** What may stand in a pg`…` text. */
export type PgValue = string | number | bigint | boolean | null

/**
 * Postgres SQL: `` pg`SELECT id::text AS id FROM sak WHERE status <> ${'SLETTET'}` ``. Values become literals; the text itself stays as it is written.
 * @throws EtlError `pipeline` for a value that Postgres has no literal for.
 */
export function pg(strings: TemplateStringsArray, ...values: readonly PgValue[]): Pg {
  const text = strings.raw
    .map((part, index) => (index < values.length ? `${part}${pgLiteral.value(values[index] as PgValue)}` : part))
    .join('')
  if (text.trim() === '') throw new EtlError('pipeline', 'pg`` is empty.', { hint: 'write a SELECT' })
  return { kind: 'pg', text: text.trim().replace(/;$/, '').trimEnd() }
}

/** Values and names as Postgres SQL: the only place that renders them (Postgres: 4.1 Lexical Structure). */
export const pgLiteral = {
  value(value: PgValue): string {
    if (value === null) return 'NULL'
    if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
    if (typeof value === 'string') return pgLiteral.string(value)
    if (typeof value === 'bigint') return value < 0n ? `(${value})` : String(value)
    if (Number.isFinite(value))
      return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? '-0.0' : value})` : String(value)
    return `'${Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'}'::float8`
  },
  /** Means the same whatever `standard_conforming_strings` says: a backslash stands in an E'' text only. */
  string(text: string): string {
    if (text.includes('\0')) throw new EtlError('pipeline', 'a text with the character NUL: Postgres has none.')
    if (!text.isWellFormed()) throw new EtlError('pipeline', 'a text with half of a surrogate pair: it has no UTF-8.')
    const doubled = text.replaceAll("'", "''")
    return text.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
  },
  /** A column, as it is called in the result: case counts. */
  name(name: string): string {
    return `"${name.replaceAll('"', '""')}"`
  },
} as const
