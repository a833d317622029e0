import type { Column, ColumnType } from '../../domain/column.ts'
import type { Wire } from './codecs.ts'

/** A Postgres type as the catalogue has it (PostgreSQL: 52.64 pg_type). */
export type PgType = {
  /** Its name there: `int8`, `timestamptz`. */
  readonly name: string
  /** Its name for people: `bigint`, `numeric(12,2)`. */
  readonly text: string
  /** b base, c composite, d domain, e enum, r range, m multirange, p pseudo. */
  readonly kind: string
  /** Of an array: its elements. */
  readonly element?: PgType
}

/** How a column of a query is read: as it is, or by a cast in the outer SELECT. */
export type Way = { readonly wire: Wire; readonly cast: string | null }

/** A type that a column can't be read from, and what to write instead. */
export type Refusal = { readonly expected: string; readonly instead: string }

/** How values of a Postgres type become those of a column: the closed table. */
export function wayOf(type: PgType, column: Column): Way | Refusal {
  const name = `"${column.name}"`
  if (column.mode === 'REPEATED') {
    if (type.element === undefined)
      return { expected: `an array of ${column.type}`, instead: `ARRAY[${name}], or no z.array in the row schema` }
    const one = wayOf(type.element, { ...column, mode: 'REQUIRED' })
    if ('expected' in one) return { expected: `an array of ${one.expected}`, instead: `${one.instead}[]` }
    return { wire: one.wire, cast: one.cast === null ? null : `${one.cast}[]` }
  }
  if (type.element !== undefined)
    return { expected: column.type, instead: `z.array(…) in the row schema, or array_to_string(${name}, ',')` }
  const ways = type.kind === 'e' ? { STRING: as('text') } : type.kind === 'r' || type.kind === 'm' ? asText : table[type.name]
  const way = ways?.[column.type]
  return way ?? { expected: column.type, instead: castOf(type, column.type, name) }
}

function as(wire: Wire, cast: string | null = null): Way {
  return { wire, cast }
}

type Ways = Partial<Readonly<Record<ColumnType, Way>>>

const asText: Ways = { STRING: as('text', 'text') }
const text: Ways = { STRING: as('text'), GEOGRAPHY: as('text') }
const whole = (wire: Wire): Ways => ({
  INT64: as(wire),
  NUMERIC: as('numeric', 'numeric'),
  BIGNUMERIC: as('numeric', 'numeric'),
})

/** By the names of pg_type.dat. */
const table: Readonly<Record<string, Ways>> = {
  int2: { ...whole('int2'), FLOAT64: as('float8', 'float8') },
  int4: { ...whole('int4'), FLOAT64: as('float8', 'float8') },
  int8: whole('int8'),
  float4: { FLOAT64: as('float4') },
  float8: { FLOAT64: as('float8') },
  numeric: { NUMERIC: as('numeric'), BIGNUMERIC: as('numeric'), STRING: as('text', 'text') },
  bool: { BOOL: as('bool') },
  text,
  varchar: text,
  bpchar: text,
  name: { STRING: as('text') },
  char: { STRING: as('text', 'text') },
  citext: { STRING: as('text', 'text') },
  unknown: { STRING: as('text', 'text') },
  uuid: { STRING: as('uuid') },
  json: { JSON: as('text'), STRING: as('text') },
  jsonb: { JSON: as('jsonb'), STRING: as('jsonb') },
  bytea: { BYTES: as('bytea') },
  date: { DATE: as('date') },
  time: { TIME: as('time') },
  timestamp: { DATETIME: as('timestamp') },
  timestamptz: { TIMESTAMP: as('timestamp') },
  ...Object.fromEntries(
    [
      ...['interval', 'timetz', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit', 'xml', 'tsvector', 'tsquery', 'pg_lsn'],
      ...[
        'txid_snapshot',
        'pg_snapshot',
        'point',
        'line',
        'lseg',
        'box',
        'path',
        'polygon',
        'circle',
        'hstore',
        'ltree',
        'regclass',
      ],
    ].map(name => [name, asText]),
  ),
}

/** What an author can write so that a column fits. */
function castOf({ name: type, kind }: PgType, wanted: ColumnType, name: string): string {
  if (type === 'money') return `${name}::numeric`
  if (type === 'geometry' || type === 'geography') return `ST_AsText(${name})`
  if (kind === 'c' || wanted === 'JSON') return `to_jsonb(${name})`
  if (type === 'timestamp' && wanted === 'TIMESTAMP') return `${name} AT TIME ZONE 'Europe/Oslo' (which zone is it in?)`
  if (type === 'timestamptz' && wanted === 'DATETIME') return `${name} AT TIME ZONE 'Europe/Oslo' (in which zone?)`
  if (wanted === 'RECORD') return `bq.json() in the row schema and to_jsonb(${name})`
  return `${name}::${casts[wanted]}`
}

const casts: Readonly<Record<Exclude<ColumnType, 'RECORD' | 'JSON'>, string>> = {
  STRING: 'text',
  BYTES: 'bytea',
  INT64: 'bigint',
  FLOAT64: 'float8',
  BOOL: 'boolean',
  NUMERIC: 'numeric',
  BIGNUMERIC: 'numeric',
  TIMESTAMP: 'timestamptz',
  DATE: 'date',
  TIME: 'time',
  DATETIME: 'timestamp',
  GEOGRAPHY: 'text',
}
