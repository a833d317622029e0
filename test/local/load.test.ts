import { beforeAll, describe, expect, test } from 'vitest'
import { type Answered, call, client, ended, file, load, parquet } from './support/client.ts'
import { useServer } from './support/server.ts'

const server = useServer()
beforeAll(() => client(server.url).createDataset('d'))
const table = (name: string) => client(server.url).dataset('d').table(name)
const rowsOf = async (name: string) => (await table(name).getRows())[0]
const loaded = async (name: string, path: string, options: object = {}) =>
  (await load(client(server.url), 'd', name, path, options)).status
const ndjson = { sourceFormat: 'NEWLINE_DELIMITED_JSON' }
const csv = { sourceFormat: 'CSV' }
const fields = async (name: string) =>
  (await table(name).getMetadata())[0].schema.fields.map((field: Answered) => `${field.name} ${field.type} ${field.mode}`)

describe('dispositions', () => {
  test('rows are appended where nothing else is said, replaced by WRITE_TRUNCATE, refused by WRITE_EMPTY', async () => {
    const [one, two] = [await parquet(server.dir, 'SELECT 1 AS n'), await parquet(server.dir, 'SELECT 2 AS n')]
    await loaded('disposed', one)
    await loaded('disposed', two)
    expect(await rowsOf('disposed')).toEqual([{ n: 1 }, { n: 2 }])
    expect((await loaded('disposed', two, { writeDisposition: 'WRITE_EMPTY' })).errorResult).toEqual({
      reason: 'duplicate',
      message: 'Already Exists: Table p:d.disposed',
    })
    await loaded('disposed', two, { writeDisposition: 'WRITE_TRUNCATE' })
    expect(await rowsOf('disposed')).toEqual([{ n: 2 }])
  })

  test('WRITE_TRUNCATE takes the new schema; a load that fails leaves rows and schema as they were', async () => {
    await loaded('truncated', await parquet(server.dir, 'SELECT 1 AS n'))
    const bad = file(server.dir, 'bad.json', '{"s": "a"}\n{"nope": 1}\n')
    const schema = { fields: [{ name: 's', type: 'STRING' }] }
    const { errorResult } = await loaded('truncated', bad, { ...ndjson, schema, writeDisposition: 'WRITE_TRUNCATE' })
    expect(errorResult.reason).toBe('invalid')
    expect([await rowsOf('truncated'), await fields('truncated')]).toEqual([[{ n: 1 }], ['n INTEGER NULLABLE']])
    await loaded('truncated', await parquet(server.dir, "SELECT 'x' AS s"), { writeDisposition: 'WRITE_TRUNCATE' })
    expect([await rowsOf('truncated'), await fields('truncated')]).toEqual([[{ s: 'x' }], ['s STRING NULLABLE']])
  })

  test('CREATE_NEVER needs the table; a dataset has to be there in any case', async () => {
    const path = await parquet(server.dir, 'SELECT 1 AS n')
    expect((await loaded('never', path, { createDisposition: 'CREATE_NEVER' })).errorResult).toEqual({
      reason: 'notFound',
      message: 'Not found: Table p:d.never',
    })
    const { status } = await load(client(server.url), 'nowhere', 't', path)
    expect(status.errorResult).toEqual({ reason: 'notFound', message: 'Not found: Dataset p:nowhere' })
  })

  test('a new table takes partitioning, clustering and properties from the job', async () => {
    await loaded('made', await parquet(server.dir, "SELECT DATE '2022-01-20' AS dato, 'a' AS env"), {
      timePartitioning: { type: 'DAY', field: 'dato' },
      clustering: { fields: ['env'] },
      destinationTableProperties: { description: 'stage', labels: { run: 'r' }, expirationTime: '4102444800000' },
    })
    expect((await table('made').getMetadata())[0]).toMatchObject({
      timePartitioning: { type: 'DAY', field: 'dato' },
      clustering: { fields: ['env'] },
      description: 'stage',
      labels: { run: 'r' },
      expirationTime: '4102444800000',
    })
    const other = { timePartitioning: { type: 'MONTH', field: 'dato' } }
    expect(
      (await loaded('made', await parquet(server.dir, "SELECT DATE '2022-01-20' AS dato, 'a' AS env"), other)).errorResult
        .message,
    ).toBe(
      'Incompatible table partitioning specification. Expects partitioning specification interval(type:day,field:dato), but input partitioning specification is interval(type:month,field:dato)',
    )
  })

  test('a column more is refused, or added where the job allows it', async () => {
    await loaded('wider', await parquet(server.dir, 'SELECT 1 AS n'))
    const wide = await parquet(server.dir, "SELECT 2 AS n, 'x' AS s")
    expect((await loaded('wider', wide)).errorResult.message).toBe(
      'Provided Schema does not match Table p:d.wider. Cannot add fields (field: s)',
    )
    expect(await loaded('wider', wide, { schemaUpdateOptions: ['ALLOW_FIELD_ADDITION'] })).toEqual({ state: 'DONE' })
    expect(await rowsOf('wider')).toEqual([
      { n: 1, s: null },
      { n: 2, s: 'x' },
    ])
  })

  test('many loads into one table at once all arrive', async () => {
    const paths = await Promise.all([1, 2, 3, 4, 5, 6].map(n => parquet(server.dir, `SELECT ${n} AS n`)))
    expect(await Promise.all(paths.map(path => loaded('busy', path)))).toEqual(paths.map(() => ({ state: 'DONE' })))
    expect((await rowsOf('busy')).map(row => row.n).sort()).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('beside an open transaction on the same table', () => {
  const [update, insert, truncate] = [
    'UPDATE `p.d.t` SET v = v + 1 WHERE true',
    'INSERT INTO `p.d.t` (n, v) VALUES (9, 9)',
    'TRUNCATE TABLE `p.d.t`; INSERT INTO `p.d.t` (n, v) VALUES (9, 9)',
  ]
  test.each([
    ['WRITE_APPEND', update, true, ['1:1', '2:0']],
    ['WRITE_APPEND', insert, true, ['1:0', '2:0', '9:9']],
    ['WRITE_APPEND', truncate, true, ['2:0', '9:9']],
    ['WRITE_TRUNCATE', update, false, ['2:0']],
    ['WRITE_TRUNCATE', insert, false, ['2:0']],
    ['WRITE_TRUNCATE', truncate, false, ['2:0']],
  ])('%s while %s stands before its COMMIT', async (writeDisposition, dml, commits, left) => {
    const row = (n: number) => parquet(server.dir, `SELECT ${n}::BIGINT AS n, 0::BIGINT AS v`)
    await loaded('t', await row(1), { writeDisposition: 'WRITE_TRUNCATE' })
    await call(server.url, 'POST', '/_local/faults', { kind: 'holdCommit' })
    const [script] = await client(server.url).createQueryJob(`BEGIN TRANSACTION; ${dml}; COMMIT TRANSACTION;`)
    while ((await call(server.url, 'GET', '/_local/faults')).body.held === 0) await new Promise(later => setTimeout(later, 10))
    expect(await loaded('t', await row(2), { writeDisposition })).toEqual({ state: 'DONE' })
    await call(server.url, 'DELETE', '/_local/faults')
    expect((await ended(script)).status.errorResult === undefined).toBe(commits)
    expect((await rowsOf('t')).map(({ n, v }) => `${n}:${v}`).sort()).toEqual(left)
  })
})

describe('rows that do not fit', () => {
  const schema = {
    fields: [
      { name: 'n', type: 'INTEGER', mode: 'REQUIRED' },
      { name: 's', type: 'STRING' },
      { name: 'l', type: 'STRING', mode: 'REPEATED' },
    ],
  }
  test.each([
    ['{"n": 1, "x": 2}', 'No such field: x.'],
    ['{"s": "a"}', 'Missing required fields: n.'],
    ['{"n": null}', 'Missing required fields: n.'],
    ['{"n": "abc"}', 'Could not convert value to integer. Field: n; Value: abc'],
    ['{"n": 1.5}', 'Could not convert value to integer. Field: n; Value: 1.5'],
    ['{"n": 9223372036854775808}', 'Could not convert value to integer. Field: n; Value: 9223372036854775808'],
    ['{"n": 1, "s": {"a": 1}}', 'JSON object specified for non-record field: s'],
    ['{"n": 1, "s": ["a"]}', 'Array specified for non-repeated field: s.'],
    ['{"n": 1, "l": "a"}', 'Single value specified for repeated field: l.'],
    ['{"n": 1, "l": ["a", null]}', 'Only optional fields can be set to NULL. Field: l; Value: NULL'],
  ])('NDJSON %s: %s', async (line, problem) => {
    const path = file(server.dir, `row.json`, `{"n": 1}\n${line}\n`)
    const { errorResult, errors } = await loaded('unfit', path, { ...ndjson, schema })
    expect(errorResult).toEqual({
      reason: 'invalid',
      message:
        'Error while reading data, error message: JSON table encountered too many errors, giving up. Rows: 2; errors: 1. Please look into the errors[] collection for more details.',
    })
    const detail = `Error while reading data, error message: JSON parsing error in row starting at position 9: ${problem}`
    expect(errors).toEqual([errorResult, { reason: 'invalid', message: detail }])
    expect(await table('unfit').exists()).toEqual([false])
  })

  test('unknown values are passed over, and some bad rows too, where the job says so', async () => {
    const path = file(server.dir, 'loose.json', '{"n": 1, "x": 2}\n{"n": "bad"}\n{"n": 3}\n')
    await loaded('loose', path, { ...ndjson, schema, ignoreUnknownValues: true, maxBadRecords: 1 })
    expect((await rowsOf('loose')).map(row => row.n)).toEqual([1, 3])
  })

  test.each([
    ['a REQUIRED column with a null', 'SELECT NULL::INTEGER AS n', 'Required field n cannot be null'],
    ['another type', "SELECT 'x' AS n", "Parquet column 'n' has type VARCHAR which does not match the target type INT64."],
    ['an array with a null', "SELECT 1 AS n, ['a', NULL] AS l", 'Only optional fields can be set to NULL. Field: l'],
    [
      'a single value for an array',
      "SELECT 1 AS n, 'a' AS l",
      "Parquet column 'l' has type VARCHAR which does not match the target type ARRAY<STRING>.",
    ],
    ['a number too large', 'SELECT 18446744073709551615::UBIGINT AS n', expect.stringContaining('out of range')],
  ])('Parquet with %s', async (_what, sql, problem) => {
    const { errorResult } = await loaded('unfit', await parquet(server.dir, sql), { schema })
    const message = typeof problem === 'string' ? `Error while reading data, error message: ${problem}` : problem
    expect(errorResult).toEqual({ reason: 'invalid', message })
    expect(await table('unfit').exists()).toEqual([false])
  })

  test.each([
    ["SELECT DATE '10000-01-01' AS d", 'a date lies outside the years 1 to 9999'],
    ["SELECT 'infinity'::TIMESTAMPTZ AS t", 'a date lies outside the years 1 to 9999'],
    ["SELECT [TIME '24:00:00'] AS t", 'a time is 24:00:00'],
  ])('Parquet with what BigQuery can’t hold: %s', async (sql, problem) => {
    const { errorResult } = await loaded('unfit', await parquet(server.dir, sql))
    expect(errorResult.message).toBe(`Error while reading data, error message: ${problem}`)
  })

  test('a column of the file that the schema lacks, and one of the schema that the file lacks', async () => {
    const path = await parquet(server.dir, "SELECT 1 AS n, 'x' AS other")
    expect((await loaded('unfit', path, { schema })).errorResult.message).toBe(
      'Provided Schema does not match Table p:d.unfit. Cannot add fields (field: other)',
    )
    await loaded('fewer', await parquet(server.dir, 'SELECT 1 AS n'), { schema })
    expect(await rowsOf('fewer')).toEqual([{ n: 1, s: null, l: [] }])
  })

  test('a file that is no Parquet, a format that is not there, and no schema', async () => {
    const text = file(server.dir, 'plain.txt', 'hello')
    expect((await loaded('unfit', text)).errorResult.message).toContain('the file is not a Parquet file that can be read')
    expect((await loaded('unfit', text, { sourceFormat: 'AVRO' })).errorResult.message).toBe(
      'The local BigQuery loads PARQUET, NEWLINE_DELIMITED_JSON and CSV, not AVRO.',
    )
    expect((await loaded('unfit', text, csv)).errorResult.message).toBe('No schema specified on job or table.')
    expect((await loaded('unfit', text, { ...csv, autodetect: true })).errorResult.reason).toBe('notImplemented')
  })

  test('a decimal of more than nine places becomes a BIGNUMERIC, exactly', async () => {
    const path = await parquet(server.dir, 'SELECT -0.01234567890123456789::DECIMAL(38,20) AS n')
    await loaded('wide', path)
    expect(await fields('wide')).toEqual(['n BIGNUMERIC NULLABLE'])
    expect((await rowsOf('wide'))[0].n.toFixed()).toBe('-0.01234567890123456789')
  })
})

test('timestamps of any unit come in as microseconds', async () => {
  const at = "TIMESTAMP '2022-01-20 06:30:00'"
  const columns = ['TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMPTZ'].map(type => `${at}::${type} AS ${type}`)
  await loaded('units', await parquet(server.dir, `SELECT ${columns.join(', ')} UNION ALL SELECT NULL, NULL, NULL, NULL`))
  const [row, empty] = await rowsOf('units')
  expect(Object.values(row).map(value => (value as { value: string }).value.slice(0, 19))).toEqual(
    columns.map(() => '2022-01-20T06:30:00'),
  )
  expect(Object.values(empty)).toEqual([null, null, null, null])
})

test('WRITE_TRUNCATE can’t take the partition column away', async () => {
  const path = await parquet(server.dir, "SELECT DATE '2022-01-20' AS dato")
  await loaded('kept_partition', path, { timePartitioning: { type: 'DAY', field: 'dato' } })
  const { errorResult } = await loaded('kept_partition', await parquet(server.dir, 'SELECT 1 AS n'), {
    writeDisposition: 'WRITE_TRUNCATE',
  })
  expect(errorResult.message).toBe('The field specified for partitioning cannot be found in the schema: dato')
})

describe('CSV', () => {
  const schema = {
    fields: [
      { name: 'name', type: 'STRING' },
      { name: 'dato', type: 'DATE' },
      { name: 'n', type: 'INTEGER' },
    ],
  }
  test('quotes, commas, line breaks and empty cells', async () => {
    const path = file(server.dir, 'apps.csv', 'name,dato,n\r\n"a, ""b""\nc",2022-01-20,1\r\n,,\r\n"",2022-01-21,2')
    await loaded('csv', path, { ...csv, schema, skipLeadingRows: 1 })
    const rows = (await rowsOf('csv')).map(row => [row.name, row.dato?.value ?? null, row.n])
    expect(rows).toEqual([
      ['a, "b"\nc', '2022-01-20', 1],
      [null, null, null],
      ['', '2022-01-21', 2],
    ])
  })

  test.each([
    ['a,2022-20-01,1', 'Could not convert value to date. Field: dato; Value: 2022-20-01'],
    ['a,2022-01-20', 'Too few values in row. Found 2 column(s) while expected 3.'],
    ['a,2022-01-20,1,2', 'Too many values in row. Found 4 column(s) while expected 3.'],
  ])('%s: %s', async (line, problem) => {
    const { errors } = await loaded('csv_bad', file(server.dir, 'bad.csv', `${line}\n`), { ...csv, schema })
    expect(errors[1].message).toBe(
      `Error while reading data, error message: CSV parsing error in row starting at position 0: ${problem}`,
    )
  })

  test('the job’s schema says the order of the columns, also where the table has another and more', async () => {
    await table('ordered').create({ schema: 'n:INT64,l:STRING,name:STRING' })
    const reordered = { fields: [schema.fields[0], schema.fields[2]] }
    expect(await loaded('ordered', file(server.dir, 'ordered.csv', 'a,1\n'), { ...csv, schema: reordered })).toEqual({
      state: 'DONE',
    })
    expect(await rowsOf('ordered')).toEqual([{ n: 1, l: null, name: 'a' }])
  })
})
