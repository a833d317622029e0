import { randomBytes } from 'node:crypto'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { BigQueryError, type Field } from './contract.ts'
import { csvRows, readCsvOptions } from './csv.ts'
import { decode, decodeRow, ExactNumber, RowProblem } from './decode.ts'
import { quoted } from './duck.ts'
import { JobError } from './jobs.ts'
import { flag, integer, type JsonObject, optional } from './json.ts'
import { linesOf } from './lines.ts'
import type { LoadSource } from './loadsource.ts'
import { physicalType } from './types.ts'

/** An NDJSON or CSV file as the source of a load job: its rows go through JavaScript into a temporary table. */
export function textSource(
  connection: DuckDBConnection,
  path: string,
  format: 'CSV' | 'NEWLINE_DELIMITED_JSON',
  config: JsonObject,
  signal: AbortSignal,
): LoadSource {
  const ignoreUnknown = optional(config.ignoreUnknownValues, flag) ?? false
  const maxBadRecords = optional(config.maxBadRecords, integer) ?? 0
  if (config.autodetect === true && !config.schema) {
    throw new BigQueryError(
      'notImplemented',
      `The local BigQuery doesn't guess the schema of ${format}. Give the load job a schema, or load Parquet.`,
    )
  }
  return {
    unknown: () => [],
    async select(schema) {
      const name = `load_${randomBytes(6).toString('hex')}`
      const columns = schema.map(field => `${quoted(field.name)} ${physicalType(field)}`)
      await connection.run(`CREATE TEMP TABLE ${quoted(name)} (${columns.join(', ')})`)
      const appender = await connection.createAppender(name, 'main', 'temp')
      const types = schema.map((_, index) => appender.columnType(index))
      const rows = format === 'CSV' ? csv(path, schema, config, ignoreUnknown) : ndjson(path, schema, ignoreUnknown)
      let [good, bad] = [0, 0]
      for await (const row of rows) {
        if (row instanceof RowFault) {
          bad += 1
          if (bad > maxBadRecords) throw tooManyErrors(format, good + bad, bad, row)
          continue
        }
        row.forEach((value, index) => {
          appender.appendValue(value, types[index])
        })
        appender.endRow()
        good += 1
        if (good % 10_000 === 0) appender.flushSync()
        if (good % 10_000 === 0 && signal.aborted) throw signal.reason
      }
      appender.closeSync()
      return `SELECT * FROM ${quoted(name)}`
    },
  }
}

/** A row that can't be loaded, and the byte where it starts. */
class RowFault {
  readonly position: number
  readonly problem: string
  constructor(position: number, problem: string) {
    this.position = position
    this.problem = problem
  }
}

async function* ndjson(path: string, schema: readonly Field[], ignoreUnknown: boolean): AsyncGenerator<DuckDBValue[] | RowFault> {
  for await (const { text, position } of linesOf(path)) {
    if (text.trim() === '') continue
    yield attempt(position, () => decodeRow(schema, parseLine(text), ignoreUnknown))
  }
}

async function* csv(
  path: string,
  schema: readonly Field[],
  config: JsonObject,
  ignoreUnknown: boolean,
): AsyncGenerator<DuckDBValue[] | RowFault> {
  const options = readCsvOptions(config)
  for await (const { cells, position } of csvRows(path, options)) {
    yield attempt(position, () => {
      if (cells.length < schema.length && !options.allowJaggedRows) {
        throw new RowProblem(`Too few values in row. Found ${cells.length} column(s) while expected ${schema.length}.`)
      }
      if (cells.length > schema.length && !ignoreUnknown) {
        throw new RowProblem(`Too many values in row. Found ${cells.length} column(s) while expected ${schema.length}.`)
      }
      return schema.map((field, index) => {
        if (field.mode === 'REPEATED' || field.type === 'RECORD')
          throw new RowProblem(`CSV has no nested or repeated data. Field: ${field.name}`)
        const cell = cells[index] ?? null
        return decode(field, cell !== null && field.type === 'JSON' ? JSON.parse(cell) : cell, ignoreUnknown)
      })
    })
  }
}

function attempt(position: number, decodeOne: () => DuckDBValue[]): DuckDBValue[] | RowFault {
  try {
    return decodeOne()
  } catch (error) {
    if (error instanceof RowProblem) return new RowFault(position, error.message)
    if (error instanceof SyntaxError) return new RowFault(position, `Parser terminated before end of string (${error.message})`)
    throw error
  }
}

/** A line's object; numbers that a double would change keep their text. */
function parseLine(line: string): JsonObject {
  const mayLose = /\d{16}|\d[.eE]/.test(line)
  const value: unknown = mayLose ? parseExact(line, keepExact) : JSON.parse(line)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new RowProblem('Start of array or value encountered without start of object.')
}

/** The third argument of a reviver (TC39: JSON.parse source text access) isn't in TypeScript's library yet. */
const parseExact = JSON.parse as (
  text: string,
  revive: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown

const keepExact = (_key: string, value: unknown, { source }: { source?: string }) =>
  typeof value === 'number' && source !== undefined && String(value) !== source ? new ExactNumber(source) : value

/** The service's three messages: the job's own and two in `errors`. */
function tooManyErrors(format: 'CSV' | 'NEWLINE_DELIMITED_JSON', rows: number, errors: number, fault: RowFault): JobError {
  const word = format === 'CSV' ? 'CSV' : 'JSON'
  const start = 'Error while reading data, error message:'
  const result = new BigQueryError(
    'invalid',
    `${start} ${word} table encountered too many errors, giving up. Rows: ${rows}; errors: ${errors}. Please look into the errors[] collection for more details.`,
  )
  const detail = `${start} ${word} parsing error in row starting at position ${fault.position}: ${fault.problem}`
  return new JobError(result, [{ reason: 'invalid', message: detail }])
}
