import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AnyRow, Column } from '../../domain/column.ts'
import { EtlError, nearest } from '../../domain/error.ts'
import { objectReader } from './ndjson.ts'
import { unreadable } from './text.ts'

/**
 * The rows of a Parquet file, by DuckDB, which is loaded here. Each comes as JSON text with exact digits and is read like a line of NDJSON; a TIMESTAMP
 * without a zone counts as UTC.
 */
export async function* parquetPages(
  root: string,
  path: string,
  columns: readonly Column[],
  known: readonly Column[],
): AsyncGenerator<readonly AnyRow[]> {
  const decode = objectReader(path, columns, known)
  await using opened = await open(root, path)
  const found = await described(opened, path)
  const fields = columns.map(column => `${text(column.name)}: ${valueSql(column, place(path, column, found))}`)
  const answer = await opened.connection.stream(`SELECT to_json({${fields.join(', ')}})::VARCHAR FROM ${opened.rows}`)
  let row = 0
  for (let chunk = await answer.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await answer.fetchChunk())
    yield (chunk.getColumnValues(0) as string[]).map(json => decode(json, `row ${++row}`))
}

/** The columns of the file, in DuckDB's words. */
export async function parquetColumns(
  root: string,
  path: string,
): Promise<readonly { readonly name: string; readonly type: string }[]> {
  await using opened = await open(root, path)
  // Waited for here: it must not be closed under its own question.
  return await described(opened, path)
}

type Opened = Awaited<ReturnType<typeof open>>

async function open(root: string, path: string) {
  const place = resolve(root, path)
  await access(place).catch(async cause => {
    throw await unreadable(root, path, cause)
  })
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '128MB' })
  const connection = await instance.connect()
  return {
    connection,
    rows: `read_parquet(${text(place)})`,
    async [Symbol.asyncDispose]() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function described(
  { connection, rows }: Opened,
  path: string,
): Promise<readonly { readonly name: string; readonly type: string }[]> {
  try {
    const answer = await connection.runAndReadAll(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${rows})`)
    return answer.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
  } catch (cause) {
    throw new EtlError('schema', `${path} is no Parquet file, or a damaged one.`, {
      cause,
      hint: 'write it anew; a file of text is read as .csv or .ndjson',
    })
  }
}

function place(path: string, column: Column, found: readonly { readonly name: string }[]): string {
  const there = found.find(({ name }) => name.toLowerCase() === column.name.toLowerCase())
  if (there !== undefined) return there.name
  const names = found.map(({ name }) => name)
  const guess = nearest(column.name, names)
  throw new EtlError('schema', `${path} has no column ${column.name}.`, {
    hint: `${guess === undefined ? '' : `did you mean ${guess}? `}the columns there are: ${names.join(', ')}`,
  })
}

/** The value so that its JSON loses nothing. */
function valueSql(column: Column, name: string): string {
  const quoted = `"${name.replaceAll('"', '""')}"`
  if (column.mode === 'REPEATED') return quoted
  switch (column.type) {
    case 'TIMESTAMP':
      return `make_timestamp(epoch_us(${quoted}))::VARCHAR || 'Z'`
    case 'BYTES':
      return `base64(${quoted})`
    case 'FLOAT64':
      return `${quoted}::VARCHAR`
    default:
      return quoted
  }
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`
