import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import { BigQueryError, type Field } from './contract.ts'
import { absent, conversion, inferred, unknownFields } from './conversion.ts'
import { literal, quoted, rowsOf } from './duck.ts'
import type { LoadSource } from './loadsource.ts'

/** A Parquet file as the source of a load job: it is never copied, the load reads it straight into the table. */
export async function parquetSource(connection: DuckDBConnection, path: string): Promise<LoadSource> {
  const file = `read_parquet(${literal(path)})`
  const shape = await connection.run(`SELECT * FROM ${file} LIMIT 0`).catch(error => {
    throw unreadable(`the file is not a Parquet file that can be read (${firstLine(error)})`)
  })
  const columns: [string, DuckDBType][] = shape.columnNames().map((name, index) => [name, shape.columnType(index)])
  // DuckDB reads decimals of more than 38 digits as doubles: better no row than a wrong one.
  const wide = await rowsOf(connection, `SELECT name FROM parquet_schema(${literal(path)}) WHERE precision > 38`)
  if (wide[0]) {
    throw new BigQueryError(
      'notImplemented',
      `The local BigQuery can't load the Parquet column '${wide[0].name}': decimals of more than 38 digits. Load it as STRING and cast it in SQL.`,
    )
  }
  return {
    schema: columns.map(([name, type]) => {
      const field = inferred(name, type)
      if (!field) throw unreadable(`the Parquet column '${name}' has a type that BigQuery can't load (${type})`)
      return field
    }),
    unknown: schema => columns.map(([name]) => name).filter(name => !schema.some(field => isNamed(field, name))),
    async select(schema) {
      const parts = schema.map(field => {
        const column = columns.find(([name]) => isNamed(field, name))
        if (!column) return `${absent(field)} AS ${quoted(field.name)}`
        const converted = conversion(column[1], field, quoted(column[0]))
        if (converted === undefined) throw mismatch(field, column[1])
        return `${converted} AS ${quoted(field.name)}`
      })
      return `SELECT ${parts.join(', ')} FROM ${file}`
    },
  }
}

function mismatch(field: Field, type: DuckDBType): BigQueryError {
  const [extra] = field.mode === 'REPEATED' ? [] : unknownFields(type, field.fields ?? [])
  if (field.type === 'RECORD' && extra !== undefined) return unreadable(`no such field: ${field.name}.${extra}.`)
  const target = field.mode === 'REPEATED' ? `ARRAY<${field.type}>` : field.type
  return unreadable(`Parquet column '${field.name}' has type ${type} which does not match the target type ${target}.`)
}

const isNamed = (field: Field, name: string) => field.name.toLowerCase() === name.toLowerCase()
const unreadable = (why: string) => new BigQueryError('invalid', `Error while reading data, error message: ${why}`)
const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]
