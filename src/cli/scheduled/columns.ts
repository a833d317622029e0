import type { Selected } from './select-list.ts'

/** A column as a row schema writes it; `guessed`: the query doesn't say its type. */
export type Field = { readonly name: string; readonly zod: string; readonly guessed: boolean }

/** The fields of a row schema. `version` is left out: every published row has one. */
export function fieldsOf(columns: readonly Selected[]): Field[] {
  return columns.flatMap(({ name, type, expression }) => {
    if (name === null || name.toLowerCase() === 'version') return []
    const known = ofType(type) ?? ofExpression(expression)
    return [{ name, zod: `${known ?? ofName(name)}.nullable()`, guessed: known === undefined }]
  })
}

function ofType(type: string | undefined): string | undefined {
  return types.find(([pattern]) => type !== undefined && pattern.test(type))?.[1]
}

// Names of Postgres and of BigQuery.
const types: readonly (readonly [RegExp, string])[] = [
  [/^(text|varchar|character varying|char|character|bpchar|xml|json|string)$/, 'z.string()'],
  [/^(bigint|int8|bigserial|int64)$/, 'bq.int64()'],
  [/^(smallint|int|int2|int4|integer|serial)$/, 'z.int()'],
  [/^(numeric|decimal)$/, 'bq.numeric()'],
  [/^bignumeric$/, 'bq.bignumeric()'],
  [/^(real|float4|float8|double precision|float64)$/, 'z.number()'],
  [/^bool(ean)?$/, 'z.boolean()'],
  [/^date$/, 'z.iso.date()'],
  [/^time( without time zone)?$/, 'z.iso.time()'],
  [/^(timestamptz|timestamp( \( \d \))? with time zone)$/, 'bq.timestamp()'],
  [/^(timestamp( without time zone)?|datetime)$/, 'bq.datetime()'],
  [/^(bytea|bytes)$/, 'bq.bytes()'],
]

function ofExpression(expression: string): string | undefined {
  return expressions.find(([pattern]) => pattern.test(expression))?.[1]
}

const expressions: readonly (readonly [RegExp, string])[] = [
  [/^(now \( \)|current_timestamp( \( \))?)$/i, 'bq.timestamp()'],
  [/^current_date( \( \))?$/i, 'z.iso.date()'],
  [/^count \( .* \)$/i, 'z.int()'],
  [/^'[^']*'$/, 'z.string()'],
  [/^\d+$/, 'z.int()'],
  [/^(true|false)$/i, 'z.boolean()'],
]

function ofName(name: string): string {
  return names.find(([pattern]) => pattern.test(name))?.[1] ?? 'z.string()'
}

const names: readonly (readonly [RegExp, string])[] = [
  [/(^|_)(created|modified|updated|deleted|at|tidspunkt|tid|opprettet|oppdatert|endret)$/i, 'bq.timestamp()'],
  [/(^|_)(dato|date|fom|tom)$|dato$/i, 'z.iso.date()'],
  [/(^|_)(antall|count)(_|$)/i, 'z.int()'],
]
