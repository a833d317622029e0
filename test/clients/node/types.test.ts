import { BigQuery } from '@google-cloud/bigquery'
import { beforeAll, describe, expect, test } from 'vitest'
import { client, ended, file, load, parquet } from '../../local/support/client.ts'
import { useServer } from '../../local/support/server.ts'
import { samples } from '../values.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('types'))

describe.each(samples)('$type', ({ name, type, values }) => {
  const column = { name: 'v', type }
  const list = { name: 'l', type, mode: 'REPEATED' }
  const record = { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type }] }
  const schema = { fields: [{ name: 'i', type: 'INT64' }, column, list, record] }

  test('comes through Parquet: alone, null, in an array and in repeated records', async () => {
    const literal = (value: string) => duckdbLiteral(type, value)
    const rows = values.map(
      (value, i) =>
        `SELECT ${i} AS i, ${literal(value)} AS v, [${literal(value)}] AS l, [{'x': ${literal(value)}}, {'x': NULL}] AS r`,
    )
    const path = await parquet(
      server.dir,
      `${rows.join(' UNION ALL ')} UNION ALL SELECT ${values.length}, NULL, [], [] ORDER BY i`,
    )
    const { status } = await load(client(server.url), 'types', `${name}_parquet`, path, type === 'BIGNUMERIC' ? {} : { schema })
    expect(status).toEqual({ state: 'DONE' })
    const bignumeric = `CAST(v AS BIGNUMERIC) AS v, ARRAY(SELECT CAST(e AS BIGNUMERIC) FROM UNNEST(l) AS e) AS l, ARRAY(SELECT AS STRUCT CAST(x AS BIGNUMERIC) AS x FROM UNNEST(r)) AS r`
    const columns = type === 'BIGNUMERIC' ? bignumeric : 'v, l, r'
    expect(await read(`SELECT ${columns} FROM \`p.types.${name}_parquet\` ORDER BY i`)).toEqual(expected(values))
  })

  test('comes through NDJSON', async () => {
    const lines = values.map((value, i) => {
      const json = type === 'JSON' ? value : JSON.stringify(ndjsonValue(type, value))
      // A JSON null is SQL's NULL in NDJSON, and an array can't hold that.
      return value === 'null'
        ? `{"i": ${i}, "v": null}`
        : `{"i": ${i}, "v": ${json}, "l": [${json}], "r": [{"x": ${json}}, {"x": null}]}`
    })
    const path = file(server.dir, `${name}.json`, `${lines.join('\n')}\n{"i": ${values.length}}\n`)
    const { status } = await load(client(server.url), 'types', `${name}_ndjson`, path, {
      sourceFormat: 'NEWLINE_DELIMITED_JSON',
      schema,
    })
    expect(status).toEqual({ state: 'DONE' })
    const all = expected(values).map((row, i) => (values[i] === 'null' ? [null, [], []] : row))
    expect(await read(`SELECT v, l, r FROM \`p.types.${name}_ndjson\` ORDER BY i`)).toEqual(all)
  })
})

test('the client’s own types hold the values', async () => {
  const sql =
    "SELECT 9007199254740993 AS n, TIMESTAMP '2022-01-20 00:00:00.123456+00' AS t, NUMERIC '0.000000001' AS d, b'\\xff' AS b, CAST('-inf' AS FLOAT64) AS f"
  const [rows] = await client(server.url).query({ query: sql, wrapIntegers: { integerTypeCastFunction: BigInt } })
  expect(rows[0]).toMatchObject({ n: 9007199254740993n, b: Buffer.from([255]), f: Number.NEGATIVE_INFINITY })
  expect([rows[0].t.value, rows[0].d.toFixed()]).toEqual([
    BigQuery.timestamp('2022-01-20T00:00:00.123456000Z').value,
    '0.000000001',
  ])
})

/** The rows as they stand in the answer: the client's own parsing of timestamps before 1970 is a second off (9.3.0). */
async function read(query: string): Promise<unknown[]> {
  const [job] = await client(server.url).createQueryJob({ query })
  const { status } = await ended(job)
  expect(status).toEqual({ state: 'DONE' })
  const options = { skipParsing: true, 'formatOptions.useInt64Timestamp': true }
  const [rows] = (await job.getQueryResults(options)) as unknown as [Raw[]]
  return rows.map(row => plain({ v: row }))
}

type Raw = { f?: { v: Raw }[] } | null
type Cell = { v: unknown }

/** Positions instead of names: `{f: [{v}]}` → a list, `[{v}]` → a list. */
function plain({ v }: Cell): unknown {
  if (Array.isArray(v)) return v.map(plain)
  if (typeof v === 'object' && v !== null && 'f' in v && Array.isArray(v.f)) return v.f.map(plain)
  return v
}

function expected(values: readonly string[]): unknown[] {
  return [...values.map(value => [value, [value], [[value], [null]]]), [null, [], []]]
}

function duckdbLiteral(type: string, value: string): string {
  const text = `'${value.replaceAll("'", "''").replaceAll('\u0000', "' || chr(0) || '")}'`
  if (type === 'TIMESTAMP') return `make_timestamptz(${value})`
  if (type === 'BYTES') return `from_base64('${value}')`
  // The job stages BIGNUMERIC as text: Parquet's decimals of 76 digits are beyond DuckDB.
  if (type === 'BIGNUMERIC' || type === 'JSON' || type === 'STRING') return `(${text})`
  return `${text}::${{ INT64: 'BIGINT', NUMERIC: 'DECIMAL(38,9)', FLOAT64: 'DOUBLE', DATETIME: 'TIMESTAMP' }[type] ?? type}`
}

function ndjsonValue(type: string, value: string): unknown {
  if (type === 'BOOL') return value === 'true'
  if (type !== 'TIMESTAMP') return value
  const micros = BigInt(value)
  const seconds = micros / 1_000_000n - (micros % 1_000_000n < 0n ? 1n : 0n)
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${date}.${String(micros - seconds * 1_000_000n).padStart(6, '0')} UTC`
}
