import type { ColumnType } from './column.ts'
import { pgLiteral } from './pg.ts'
import type { Decimals } from './source.ts'

/**
 * What EXTERNAL_QUERY makes of a Postgres type, by the name that `pg_typeof` gives it; null where it refuses it (BigQuery: Federated query functions,
 * "PostgreSQL to BigQuery type mapping": all that is not in that table, such as uuid, jsonb, enums, domains and arrays).
 */
export function externalType(type: string, decimals: Decimals): ColumnType | null {
  return type === 'numeric' ? decimalTypes[decimals] : (types.get(type) ?? null)
}

/** The expression that makes a type which EXTERNAL_QUERY refuses one that it takes, with the column's name behind it. */
export function externalCast(column: string, type: string): string {
  const name = /^[a-z_][a-z0-9_]*$/.test(column) ? column : pgLiteral.name(column)
  return `${name}::${type === 'money' ? 'numeric' : 'text'} AS ${name}`
}

const types: ReadonlyMap<string, ColumnType> = new Map(
  Object.entries({
    boolean: 'BOOL',
    smallint: 'INT64',
    integer: 'INT64',
    bigint: 'INT64',
    real: 'FLOAT64',
    'double precision': 'FLOAT64',
    date: 'DATE',
    'time without time zone': 'TIME',
    'timestamp without time zone': 'DATETIME',
    'timestamp with time zone': 'TIMESTAMP',
    character: 'STRING',
    'character varying': 'STRING',
    text: 'STRING',
    xml: 'STRING',
    json: 'STRING',
    bytea: 'BYTES',
    bit: 'BYTES',
    'bit varying': 'BYTES',
  } as const),
)

const decimalTypes = { numeric: 'NUMERIC', bignumeric: 'BIGNUMERIC', float64: 'FLOAT64', string: 'STRING' } as const
