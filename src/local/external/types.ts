import { BigQueryError, type Field, type FieldType } from '../contract.ts'

/** What Postgres's `numeric` becomes: the option `default_type_for_decimal_columns` (BigQuery: Federated query functions, "options"). */
export type DecimalType = 'NUMERIC' | 'BIGNUMERIC' | 'FLOAT64' | 'STRING'

/**
 * The type of a column of a Postgres query, by the OID of its type. BigQuery: Federated query functions, "PostgreSQL to BigQuery type mapping"; all
 * that is not in that table is refused, with the service's words. Throws invalidQuery.
 */
export function externalType(oid: number, decimals: DecimalType): FieldType {
  if (oid === numeric) return decimals
  const type = types[oid]
  if (type !== undefined) return type
  if (bits.has(oid)) {
    throw new BigQueryError(
      'notImplemented',
      "The local BigQuery doesn't know how the service writes Postgres's bit strings as BYTES: cast the column to text, or try this on BigQuery itself.",
      'query',
    )
  }
  throw invalid(`Postgres type (OID = ${oid}) isn't supported now`)
}

/** The names that the columns of a result may have. Throws invalidQuery: `?column?` is what Postgres calls an expression without an alias. */
export function checkNames(fields: readonly Pick<Field, 'name'>[]): void {
  const seen = new Set<string>()
  for (const { name } of fields) {
    if (!/^[\p{L}_][\p{L}\p{N}_ -]{0,299}$/u.test(name)) {
      throw invalid(
        `Invalid field name "${name}". Fields must contain the allowed characters, and be at most 300 characters long: give every expression an alias`,
      )
    }
    if (seen.has(name.toLowerCase()))
      throw invalid(`Duplicate column names in the result are not supported. Found duplicate(s): ${name}`)
    seen.add(name.toLowerCase())
  }
}

/** An error of EXTERNAL_QUERY as the service puts it (BigQuery: Cloud SQL federated queries, "Troubleshooting"). */
export function invalid(message: string): BigQueryError {
  return new BigQueryError('invalidQuery', `Invalid table-valued function EXTERNAL_QUERY\n${message}`, 'query')
}

const numeric = 1700
const bits = new Set([1560, 1562])

// Postgres: src/include/catalog/pg_type.dat has the numbers.
const types: Readonly<Record<number, FieldType>> = {
  16: 'BOOL',
  17: 'BYTES',
  20: 'INT64',
  21: 'INT64',
  23: 'INT64',
  25: 'STRING',
  114: 'STRING',
  142: 'STRING',
  700: 'FLOAT64',
  701: 'FLOAT64',
  1042: 'STRING',
  1043: 'STRING',
  1082: 'DATE',
  1083: 'TIME',
  1114: 'DATETIME',
  1184: 'TIMESTAMP',
}
