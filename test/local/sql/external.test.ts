import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, openBench, parameter } from './support/bench.ts'

let bench: Bench
const connection = 'P.europe-north1.nada'
beforeAll(async () => {
  bench = await openBench()
  await bench.databases.seed({
    name: connection,
    sql: `CREATE TYPE slag AS ENUM ('a', 'b');
      CREATE TABLE produkt (id uuid, name text, "group" text, slag slag, antall int, last_modified timestamptz);
      INSERT INTO produkt VALUES ('00000000-0000-4000-8000-000000000001', 'Ærlig', 'team', 'a', 3, '2024-06-01 00:30:00.123456+02'),
        ('00000000-0000-4000-8000-000000000002', NULL, NULL, 'b', NULL, NULL)`,
  })
})
afterAll(() => bench.close())

const ask = (inner: string, select = '*', options?: string) =>
  `SELECT ${select} FROM EXTERNAL_QUERY('${connection}', '''${inner}'''${options ? `, '${options}'` : ''})`

describe('EXTERNAL_QUERY', () => {
  test('gives the rows of a Postgres query as a table: in FROM, in WITH, in a join, grouped, and by a parameter', async () => {
    const inner = 'SELECT id::text AS id, name, "group", slag::text AS slag, antall, last_modified FROM produkt ORDER BY 1'
    expect(await bench.rows(`${ask(inner)} ORDER BY id`)).toEqual([
      {
        id: '00000000-0000-4000-8000-000000000001',
        name: 'Ærlig',
        group: 'team',
        slag: 'a',
        antall: 3n,
        last_modified: '2024-05-31T22:30:00.123456Z',
      },
      { id: '00000000-0000-4000-8000-000000000002', name: null, group: null, slag: 'b', antall: null, last_modified: null },
    ])
    const parameters = [parameter('indre', 'STRING', `SELECT '"''\\' || chr(10) AS tekst, 1 AS en`)]
    const sql = `WITH q AS (SELECT tekst, en FROM EXTERNAL_QUERY('europe-north1.nada', @indre) AS x WHERE x.en = 1)
      SELECT q.tekst, COUNT(*) AS n FROM q JOIN external_query("projects/P/locations/europe-north1/connections/nada", 'SELECT 1 AS en') y ON y.en = q.en GROUP BY tekst`
    expect(await bench.rows(sql, { parameters })).toEqual([{ tekst: `"'\\\n`, n: 1n }])
  })

  test('goes through the evaluator where DuckDB is not enough, and may fill a table', async () => {
    expect(await bench.rows(ask('SELECT antall FROM produkt', "FORMAT('%t', antall) AS tekst"))).toEqual([
      { tekst: '3' },
      { tekst: 'NULL' },
    ])
    await bench.table('maal', [{ name: 'antall', type: 'INT64', mode: 'NULLABLE' }], [])
    await bench.run(`BEGIN TRANSACTION; INSERT INTO P.D.maal (antall) ${ask('SELECT antall FROM produkt')}; COMMIT TRANSACTION`)
    expect(await bench.rows('SELECT COUNT(*) AS n, SUM(antall) AS sum FROM P.D.maal')).toEqual([{ n: 2n, sum: 3n }])
  })

  test('a dry run says the columns and reads no row', async () => {
    const { schema, bytesProcessed } = await bench.engine.run({
      jobId: 'dry',
      project: 'P',
      sql: ask('SELECT antall, 1.5::numeric AS tall, pg_sleep(100)::text AS sov FROM produkt'),
      parameters: [],
      dryRun: true,
      signal: new AbortController().signal,
    })
    expect(schema.map(({ name, type }) => `${name} ${type}`)).toEqual(['antall INT64', 'tall NUMERIC', 'sov STRING'])
    expect(bytesProcessed).toBe(0)
  })

  test('maps the types of the documented table', async () => {
    const inner = `SELECT true AS a, 1::smallint AS b, 9007199254740993 AS c, -0.1::real AS d, 'NaN'::float8 AS e, 12345678901234567890123456789.123456789::numeric AS f,
      '2024-02-29'::date AS g, '23:59:59.999999'::time AS h, '0001-01-01 00:00:00'::timestamp AS i, '9999-12-31 23:59:59.999999+00'::timestamptz AS j,
      'x'::char(3) AS k, '{"a": 1}'::json AS l, '<a/>'::xml AS m, '\\\\x00ff'::bytea AS n, ''::varchar AS o, 'Infinity'::float8 AS p`
    const [row] = await bench.rows(ask(inner))
    expect(row).toEqual({
      a: true,
      b: 1n,
      c: 9007199254740993n,
      d: -0.1,
      e: Number.NaN,
      f: '12345678901234567890123456789.123456789',
      g: '2024-02-29',
      h: '23:59:59.999999',
      i: '0001-01-01T00:00:00',
      j: '9999-12-31T23:59:59.999999Z',
      k: 'x  ',
      l: '{"a": 1}',
      m: '<a/>',
      n: new Uint8Array([0, 255]),
      o: '',
      p: Infinity,
    })
  })

  test.each([
    ['uuid', 'gen_random_uuid()', 2950],
    ['jsonb', `'{}'::jsonb`, 3802],
    ['interval', `interval '1 day'`, 1186],
    ['inet', `'1.1.1.1'::inet`, 869],
    ['money', '1::money', 790],
    ['timetz', `'10:00+01'::timetz`, 1266],
    ['an array', 'ARRAY[1]', 1007],
    ['point', 'point(1, 2)', 600],
  ])('refuses %s with the documented words', async (_, value, oid) => {
    expect(await bench.failure(ask(`SELECT ${value} AS x`))).toContain(`Postgres type (OID = ${oid}) isn't supported now`)
  })

  test('refuses an enum', async () => {
    expect(await bench.failure(ask('SELECT slag FROM produkt'))).toMatch(/Postgres type \(OID = \d+\) isn't supported now/)
  })

  test.each([
    ['infinity', `'infinity'::timestamptz`],
    ['a date before Christ', `'0044-03-15 BC'::date`],
    ['a year after 9999', `'10000-01-01'::timestamp`],
    ['24:00:00', `'24:00:00'::time`],
    ['NaN of a numeric', `'NaN'::numeric`],
    ['too many digits before the point', '1e29::numeric'],
    ['too many digits after the point', '0.1234567891::numeric'],
  ])('fails over %s, without quoting the value', async (_, value) => {
    expect(await bench.failure(ask(`SELECT ${value} AS x`))).toMatch(/A value of the column x is out of the range of [A-Z]+$/)
  })

  test('decimals become what the option says', async () => {
    const decimals = async (type: string) =>
      (await bench.rows(ask('SELECT 1e30::numeric + 0.5 AS x', '*', `{"default_type_for_decimal_columns": "${type}"}`)))[0]?.x
    expect(await decimals('bignumeric')).toBe('1000000000000000000000000000000.5')
    expect(await decimals('float64')).toBe(1e30)
    expect(await decimals('string')).toBe('1000000000000000000000000000000.5')
    expect(await bench.failure(ask('SELECT 1 AS x', '*', '{"other": 1}'))).toContain('option other')
  })

  test.each([
    ['an expression without an alias', 'SELECT 1 + 1', /Invalid field name "\?column\?"/],
    ['a column twice', 'SELECT 1 AS a, 2 AS A', /Duplicate column names/],
    ['an unknown table', 'SELECT 1 AS a FROM ukjent', /relation "ukjent" does not exist/],
    ['two statements', 'SELECT 1 AS a; DROP TABLE produkt', /cannot insert multiple commands/],
    ['a change', 'DELETE FROM produkt RETURNING name', /syntax error at or near "DELETE"/],
    ['a function that changes', `SELECT nextval('x') AS n`, /relation "x" does not exist/],
  ])('refuses %s', async (_, inner, message) => {
    expect(await bench.failure(ask(inner))).toMatch(message)
  })

  test('writes nothing', async () => {
    await bench.databases.seed({ name: connection, sql: 'CREATE SEQUENCE teller' })
    expect(await bench.failure(ask(`SELECT nextval('teller') AS n`))).toContain('read-only transaction')
  })

  test('says which connection it does not know, and where one is', async () => {
    expect(await bench.failure(`SELECT * FROM EXTERNAL_QUERY('europe-north1.borte', 'SELECT 1 AS x')`)).toBe(
      'Not found: Connection projects/P/locations/europe-north1/connections/borte',
    )
    expect(await bench.failure(ask('SELECT 1 AS x'), { location: 'EU' })).toContain('was not found in location eu')
    expect(await bench.failure(ask('SELECT 1 AS x'), { maximumBytesBilled: 1e12 })).toContain(
      'maximumBytesBilled is not supported',
    )
    expect(await bench.failure(`SELECT * FROM EXTERNAL_QUERY('nada', 'SELECT 1 AS x')`)).toContain('Invalid connection ID "nada"')
    await bench.databases.seed({ name: 'P.europe-north1.nede', url: 'postgres://etl:x@127.0.0.1:1/nede' })
    expect(await bench.failure(`SELECT * FROM EXTERNAL_QUERY('europe-north1.nede', 'SELECT 1 AS x')`)).toContain(
      'Connect to PostgreSQL server failed: connect ECONNREFUSED',
    )
  })

  test('a fresh database begins empty', async () => {
    const name = 'P.europe-north1.fersk'
    await bench.databases.seed({ name, sql: 'CREATE TABLE t AS SELECT 1 AS x' })
    await bench.databases.seed({ name, fresh: true, sql: 'CREATE TABLE t AS SELECT 2 AS x' })
    expect(await bench.rows(`SELECT * FROM EXTERNAL_QUERY('${name}', 'SELECT x FROM t')`)).toEqual([{ x: 2n }])
  })
})
