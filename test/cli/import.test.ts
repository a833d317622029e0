import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sourceRows } from 'nais-etl/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/command.ts'
import { importer } from '../../src/cli/import.ts'
import { loadPipeline } from '../../src/cli/pipelines.ts'
import { cronOfSchedule } from '../../src/cli/scheduled/transfer.ts'
import { sqlText } from '../../src/domain/sql.ts'

// Inside of the project, so that 'nais-etl' is found by the package's own name.
const base = resolve('.etl')
let project = ''
beforeAll(async () => {
  await mkdir(base, { recursive: true })
  project = await mkdtemp(join(base, 'import-'))
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['src'], exclude: [] }),
  )
})
afterAll(() => rm(project, { recursive: true }))

/** The guide's scheduled query, as it stands there. */
const guide = `SELECT * FROM EXTERNAL_QUERY(
'europe-north1.nada',
'''

-- Lag en variabel for versjonering
WITH constants (version) as (
    values (now())
)

-- Legg inn rader fra Postgres-tabellen med et felt for version-variablen vi definerte over.
SELECT
    id::text,
    name,
    "group",
    pii,
    created,
    last_modified,
    "type"::text,
    version
FROM dataproducts, constants
''');`

const transfer = {
  name: 'projects/123/locations/europe-north1/transferConfigs/abc',
  displayName: 'Saker, hver natt',
  dataSourceId: 'scheduled_query',
  destinationDatasetId: 'saksdata',
  schedule: 'every day 03:30',
  params: {
    destination_table_name_template: 'saker',
    write_disposition: 'WRITE_TRUNCATE',
    query: `-- \`alle\`
SELECT s.id, s.status, UPPER(s.navn) AS navn, v.antall, CAST(s.belop AS NUMERIC) AS belop, s.opprettet
FROM EXTERNAL_QUERY("projects/p/locations/europe-north1/connections/sak", "SELECT id::bigint, status::varchar(10) AS status, navn, (belop)::numeric(10, 2) belop, s.opprettet::timestamp with time zone FROM sak s WHERE navn <> 'O\\\\'' || E'\\\\n'", '{"default_type_for_decimal_columns":"bignumeric"}') AS s
JOIN EXTERNAL_QUERY('europe-north1.vedtak', r'''SELECT DISTINCT sak_id, count(*)::int AS antall FROM vedtak GROUP BY 1 UNION ALL SELECT 0, 0''') AS v ON v.sak_id = s.id
WHERE REGEXP_CONTAINS(s.status, r'^\\w+$');`,
  },
}
/** The command in this process: what it printed, or the sentence that it ended with. */
const said = async (words: readonly string[], name?: string): Promise<string> => {
  const lines: string[] = []
  const out = { line: (text = '') => void lines.push(text), data: () => {} }
  const context = { words, flags: { name }, root: project, out } as unknown as Context
  return importer.run(context).then(
    () => lines.join('\n'),
    (error: Error) => error.message,
  )
}
const run = async (file: string, text: string, name?: string) => {
  await writeFile(join(project, file), text)
  return said(['scheduled-query', file], name)
}

describe('etl import scheduled-query', () => {
  test("the guide's query becomes a pipeline: casts are types, version is the engine's", async () => {
    const stdout = await run('query.sql', guide, 'dataprodukter')
    expect(stdout).toContain('wrote src/pipelines/dataprodukter.ts')
    expect(stdout).toContain('Types that are guessed: name, group, pii, created, last_modified.')
    expect(stdout).toContain('in the console, BigQuery, Scheduled queries, the query, Disable')
    const made = await loadPipeline(project, 'dataprodukter')
    expect(made.to.row.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id STRING',
      'name STRING',
      'group STRING',
      'pii STRING',
      'created TIMESTAMP',
      'last_modified TIMESTAMP',
      'type STRING',
    ])
    expect(made).toMatchObject({ schedule: '0 5 * * *', timeZone: 'UTC', transform: { kind: 'none' } })
    const folder = join(project, 'case')
    await mkdir(folder)
    await writeFile(
      join(folder, 'kilde.sql'),
      `CREATE TABLE dataproducts (id uuid, name text, "group" text, pii text, created timestamptz, last_modified timestamptz, "type" text);
       INSERT INTO dataproducts VALUES (gen_random_uuid(), 'Åpne saker', NULL, 'none', now(), now(), 'bigquery')`,
    )
    const { kilde } = await sourceRows(made, { name: 'case', folder, refused: null })
    expect(kilde).toMatchObject([{ name: 'Åpne saker', group: null, type: 'bigquery' }])
  })

  test("bq's JSON with a query of its own becomes sources and a sql transform; all of it compiles", async () => {
    const stdout = await run('saker.json', JSON.stringify(transfer))
    expect(stdout).toContain("'every day 03:30' is 30 3 * * * in UTC")
    expect(stdout).toContain("'Saker, hver natt', Disable (projects/123/locations/europe-north1/transferConfigs/abc)")
    expect(stdout).toContain('takes over saksdata.saker')
    const made = await loadPipeline(project, 'saker')
    expect(made.to).toMatchObject({ dataset: 'saksdata', table: 'saker' })
    expect(made.schedule).toBe('30 3 * * *')
    const columns = (row: typeof made.to.row) => row.columns.map(({ name, type }) => `${name} ${type}`).join(', ')
    expect(columns(made.to.row)).toBe('id INT64, status STRING, navn STRING, antall INT64, belop NUMERIC, opprettet TIMESTAMP')
    const { kilde, kilde2 } = made.from as Record<string, Extract<(typeof made.from)[string], { kind: 'external' }>>
    expect(columns(kilde?.row as never)).toBe('id INT64, status STRING, navn STRING, belop NUMERIC, opprettet TIMESTAMP')
    expect(columns(kilde2?.row as never)).toBe('sak_id STRING, antall INT64')
    expect(kilde).toMatchObject({ connection: 'p.europe-north1.sak', decimals: 'bignumeric' })
    expect(kilde?.query.text).toContain("navn <> 'O\\'' || E'\\n'")
    expect(made.transform.kind === 'sql' && sqlText(made.transform)).toContain(
      "FROM `kilde` AS s\nJOIN `kilde2` AS v ON v.sak_id = s.id\nWHERE REGEXP_CONTAINS(s.status, r'^\\w+$')",
    )
    const compiled = spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '--noEmit', '-p', '.'], {
      cwd: project,
      encoding: 'utf8',
    })
    expect(compiled).toMatchObject({ status: 0, stdout: '' })
  })

  const external = (inner: string, rest = '') => `SELECT * FROM EXTERNAL_QUERY('europe-north1.a', '''${inner}''')${rest}`
  test.each([
    ['a query without EXTERNAL_QUERY', 'SELECT 1 AS a', /the query has no EXTERNAL_QUERY\. Hint: .*etl -- new NAME/],
    ['a star in Postgres', external('SELECT s.* FROM sak s'), /the inner query selects s\.\*: the columns are to be named/],
    ['an expression without a name', external('SELECT 1 + 1 FROM sak'), /the expression 1 \+ 1 has no name/],
    ['another table', external('SELECT a FROM b', ' JOIN `p.d.t` USING (a)'), /the query reads p\.d\.t too/],
    [
      'a time of the run',
      external('SELECT a FROM b', ' WHERE a > @run_date'),
      /the query uses @run_date: a pipeline is given no time/,
    ],
    ['arguments that are no texts', "SELECT * FROM EXTERNAL_QUERY('a', CONCAT('SELECT ', 'a'))", /other arguments than texts/],
    [
      'a connection that is none',
      external('SELECT a FROM b').replace('europe-north1.a', 'europe-north1.<navn>'),
      /"europe-north1\.<navn>" is no connection/,
    ],
    [
      'JSON of something else',
      '{"dataSourceId": "google_cloud_storage", "params": {}}',
      /the file has no query \(it is a google_cloud_storage\)/,
    ],
    ['JSON that is none', '{"a"', /begins like JSON and is none/],
  ])('refuses %s', async (_, text, message) => {
    expect(await run('broken.sql', text, 'broken')).toMatch(message)
    await expect(readFile(join(project, 'src/pipelines/broken.ts'))).rejects.toThrow()
  })

  test('touches no file that is there, and names what it can not read', async () => {
    expect(await said(['scheduled-query', 'borte.sql'])).toContain("borte.sql can't be read.")
    expect(await run('query.sql', guide, 'saker')).toContain('src/pipelines/saker.ts exists already.')
    expect(await said(['view', 'x'])).toContain('there is only `import scheduled-query FILE`')
  })
})

test.each([
  ['every day 03:30', undefined, '30 3 * * *'],
  ['every 24 hours', '2024-02-01T04:15:00Z', '15 4 * * *'],
  ['every 6 hours', '2024-02-01T04:15:00Z', '15 */6 * * *'],
  ['every 1 hours', undefined, '0 * * * *'],
  ['every monday, friday 09:00', undefined, '0 9 * * mon,fri'],
  ['every mon 09:00', undefined, '0 9 * * mon'],
  ['1 of month 03:00', undefined, '0 3 1 * *'],
  ['first monday of quarter 00:00', undefined, undefined],
  ['every 5 hours', undefined, undefined],
])('%s (next %s) is %s', (schedule, next, cron) => {
  expect(cronOfSchedule(schedule, next)).toBe(cron)
})
