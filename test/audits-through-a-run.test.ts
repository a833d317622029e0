import * as fc from 'fast-check'
import { append, bq, dataset, merge, partition, pipeline, replace, row, sql, table } from 'nais-etl'
import { rowsOf } from 'nais-etl/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { AnyRow, Column } from '../src/domain/column.ts'
import type { EtlError } from '../src/domain/error.ts'
import type { NamedPipeline, Pipeline } from '../src/domain/pipeline.ts'
import { tablesOf } from '../src/engine/plan.ts'
import { rejected } from '../src/engine/rejected.ts'
import { run } from '../src/engine/run.ts'
import { client } from './local/support/client.ts'
import { loadTable } from './support/as-values.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, worldOn } from './support/project.ts'

const Seen = row({ dato: z.iso.date(), env: z.string(), n: z.int() })
const Count = row(
  { dato: z.iso.date(), env: z.enum(['dev', 'prod']), n: z.int(), exact: bq.bignumeric(), about: bq.json() },
  { key: ['dato', 'env'] },
)

let local: Local
beforeAll(async () => {
  local = await startLocal()
  for (const name of ['source', 'published', 'published_etl']) await client(local.url, 'team-dev').createDataset(name)
})
afterAll(() => local?.stop())

async function source(name: string, columns: readonly Column[], rows: readonly AnyRow[]): Promise<void> {
  await local.call('DELETE', `/team-dev/datasets/source/tables/${name}`)
  await loadTable(client(local.url, 'team-dev'), 'source', name, columns, rows)
}

/** One attempt: how it ended, what it said. */
async function runs(pipeline: NamedPipeline, more: { readonly accept?: boolean } = {}) {
  const { ports, settings, request, events } = await worldOn(local.url)
  const outcome = await run(pipeline, { ...request, ...more }, ports, settings, new AbortController().signal).then(
    ({ rows }) => ({ rows, error: undefined }),
    (error: EtlError) => ({ rows: 0, error }),
  )
  return { ...outcome, audited: events.find(event => event.kind === 'audited'), events }
}

/** All that a reader of the target, and of what stands beside it, can see. */
async function world(name: string): Promise<unknown> {
  const each = [`published.${name}\` AS t`, `published_etl.head__${name}\` AS t`]
  const history = `published.${name}__history\` AS t WHERE t.version > TIMESTAMP '1970-01-01 00:00:00+00'`
  return Promise.all([...each, history].map(from => ask(local.url, `SELECT TO_JSON_STRING(t) AS row FROM \`team-dev.${from}`)))
}

async function looked(pipeline: NamedPipeline, personal = false) {
  const { ports, settings } = await worldOn(local.url)
  return rejected(pipeline, tablesOf(pipeline, settings), ports.warehouse, { run: undefined, limit: 20, personal })
}

function counts(name: string, more: object, mode = {}): NamedPipeline {
  const made = pipeline({
    schedule: '0 6 * * *',
    from: { seen: table(Seen, `source.${name}`) },
    transform: sql`SELECT dato, env, n, CAST(n AS BIGNUMERIC) AS exact, JSON '{"a":1}' AS about FROM ${'seen'}`,
    to: dataset('published').table(name, Count),
    write: replace(),
    ...more,
  } as never)
  return { ...(made as Pipeline), ...mode, name }
}
const day = (dato: string, ...envs: string[]) => envs.map((env, n) => ({ dato, env, n }))

describe("an author's audit", () => {
  const everyDate = sql`SELECT dato FROM ${'result'} GROUP BY dato HAVING COUNTIF(env = 'prod') = 0`

  test('that finds a row refuses the result: nothing is published, the stage stays, and the rows can be looked at', async () => {
    const name = 'own'
    const audited = counts(name, {
      audits: {
        'every date has prod': everyDate,
        'types are those of the target': sql`SELECT dato FROM ${'result'} WHERE exact + 0.5 < 0 OR JSON_VALUE(about, '$.a') != '1'`,
        'nothing disappears': sql`SELECT c.dato, c.env FROM ${'current'} AS c LEFT JOIN ${'result'} AS r ON r.dato = c.dato AND r.env = c.env WHERE r.dato IS NULL`,
      },
    })
    await source(name, Seen.columns, [...day('2024-01-01', 'dev', 'prod'), ...day('2024-01-02', 'dev', 'prod')])
    expect(await runs(audited)).toMatchObject({ rows: 4, error: undefined, audited: { checks: 11, budget: null, accepted: [] } })
    const before = await world(name)

    await source(name, Seen.columns, [...day('2024-01-01', 'dev'), ...day('2024-01-02', 'dev', 'prod')])
    const { error, events } = await runs(audited)
    expect(error?.problem).toBe(
      'audit "every date has prod": 1 row (dato 2024-01-01) · audit "nothing disappears": 1 row (dato 2024-01-01, env prod)',
    )
    expect(error?.hint).toMatch(
      /^nothing was published; the result stays in team-dev\.published_etl\.stage__own__\w+ until \d{4}-\d\d-\d\d \d\d:00 UTC\. `npm run etl -- rejected own` shows the rows, or in the console: WITH `result` AS/,
    )
    expect(events.map(event => event.kind)).not.toContain('audited')
    expect(await world(name)).toEqual(before)
    expect((await ask(local.url, "SELECT message FROM `team-dev.published_etl.runs` WHERE event = 'failed'"))[0]?.message).toBe(
      error?.message,
    )

    const { broken, message } = await looked(audited)
    expect(message).toBe(error?.message)
    expect(broken?.map(({ text, rows }) => [text.replace(/:.*/, ''), rows])).toEqual([
      ['audit "every date has prod"', [{ dato: '2024-01-01' }]],
      ['audit "nothing disappears"', [{ dato: '2024-01-01', env: 'prod' }]],
    ])
  })

  test('that is no SQL is told by its name', async () => {
    const name = 'wrong'
    await source(name, Seen.columns, day('2024-01-01', 'dev'))
    const { error } = await runs(counts(name, { audits: { good: everyDate, 'has a slip': sql`SELECT datum FROM ${'result'}` } }))
    expect(error).toMatchObject({
      kind: 'query',
      where: { pipeline: name, step: 'audit', at: 'audit "has a slip"' },
      problem: expect.stringContaining('Unrecognized name: datum'),
    })
  })
})

describe('promises of the row schema', () => {
  test('that rows break are told with the SQL, and those rows are shown', async () => {
    const name = 'schema'
    await source(name, Seen.columns, [...day('2024-01-01', 'dev', 'prod'), ...day('2024-01-02', 'staging')])
    const { error } = await runs(counts(name, {}))
    expect(error?.problem).toBe('env: 1 row with another value than dev, prod (for example "staging")')
    expect(error?.hint).toContain("WHERE `env` NOT IN ('dev', 'prod') LIMIT 20")
    const { broken } = await looked(counts(name, {}))
    expect(broken).toMatchObject([{ rows: [{ dato: '2024-01-02', env: 'staging', n: 0n, about: '{"a":1}' }] }])
    await local.call('DELETE', `/team-dev/datasets/published_etl/tables/${(await looked(counts(name, {}))).stage.split('.')[2]}`)
    expect((await looked(counts(name, {}))).broken).toBe(null)
  })
})

describe('a budget', () => {
  const rows = (count: number, dato = '2024-01-01') => Array.from({ length: count }, (_, n) => ({ dato, env: 'dev', n }))
  const Many = row({ dato: z.iso.date(), env: z.string(), n: z.int() })
  const many = (name: string, more: object): NamedPipeline => ({
    ...(pipeline({
      schedule: '0 6 * * *',
      from: { seen: table(Seen, `source.${name}`) },
      to: dataset('published').table(name, Many),
      write: replace(),
      ...more,
    } as never) as Pipeline),
    name,
  })

  test('of the last version: replace', async () => {
    const name = 'whole'
    const expecting = many(name, { expect: { rows: '±20 %' } })
    await source(name, Seen.columns, rows(10))
    expect(await runs(expecting)).toMatchObject({ rows: 10, audited: { budget: '10 rows, expected ±20 %' } })
    await source(name, Seen.columns, rows(12))
    expect((await runs(expecting)).audited).toMatchObject({
      budget: expect.stringMatching(/^12 rows, expected ±20 % of the 10 of version \S+Z$/),
    })

    await source(name, Seen.columns, rows(7))
    const before = await world(name)
    const { error } = await runs(expecting)
    expect(error?.problem).toMatch(/^7 rows, expected ±20 % of the 12 of version \S+Z \(10 to 14\)$/)
    expect(error?.hint).toMatch(
      /^nothing was published; .*\. If the result is right: `npm run etl -- run whole --accept` lets one run pass, or change expect in src\/pipelines\/whole\.ts$/,
    )
    expect(await world(name)).toEqual(before)
    expect((await looked(expecting)).broken).toEqual([])

    expect(await runs(expecting, { accept: true })).toMatchObject({
      rows: 7,
      audited: { accepted: [expect.stringMatching(/^7 rows, expected/)] },
    })
    const notes = await ask(local.url, "SELECT message FROM `team-dev.published_etl.runs` WHERE event = 'audited'")
    expect(notes).toEqual([{ message: expect.stringMatching(/^--accept: 7 rows, expected ±20 % of the 12/) }])

    await source(name, Seen.columns, [])
    const empty = await runs(expecting)
    expect(empty.error?.problem).toMatch(/^the result is empty, and version \S+ had 7 rows$/)
    expect(empty.error?.hint).toContain("--accept` lets one run pass, or say empty: 'allowed' in src/pipelines/whole.ts")
    expect(await runs(expecting, { accept: true })).toMatchObject({ rows: 0, error: undefined })
  })

  test('--accept never lets a broken promise pass', async () => {
    const name = 'strict'
    await source(name, Seen.columns, rows(10))
    const strict = many(name, {
      expect: { rows: '≥ 100' },
      audits: { 'n is small': sql`SELECT n FROM ${'result'} WHERE n > 7` },
    })
    const { error } = await runs(strict, { accept: true })
    expect(error?.problem).toBe('audit "n is small": 2 rows (n 8 | n 9)')
    expect((await runs(strict)).error?.problem).toBe('audit "n is small": 2 rows (n 8 | n 9) · 10 rows, expected ≥ 100')
  })

  test('of each slice: what it has now, and a new one by the slice before it', async () => {
    const name = 'slices'
    const expecting = many(name, { write: partition('dato', { recompute: 2 }), expect: { rows: '±20 %' } })
    await source(name, Seen.columns, [...rows(10, '2024-01-01'), ...rows(2, '2024-01-02')])
    expect((await runs(expecting)).error).toBe(undefined)

    await source(name, Seen.columns, [...rows(10, '2024-01-01'), ...rows(3, '2024-01-02'), ...rows(10, '2024-01-05')])
    const before = await world(name)
    const { error } = await runs(expecting)
    expect(error?.problem).toBe(
      'dato 2024-01-02: 3 rows, expected ±20 % of the 2 it has now (2 to 2) · dato 2024-01-05: 10 rows, expected ±20 % of the 3 of 2024-01-02 (3 to 3)',
    )
    expect(await world(name)).toEqual(before)

    await source(name, Seen.columns, [...rows(10, '2024-01-01'), ...rows(2, '2024-01-02'), ...rows(2, '2024-01-05')])
    expect((await runs(expecting)).audited).toMatchObject({ budget: '2 slices, expected ±20 % each' })

    const newest = many(name, { write: partition('dato', { recompute: 1 }), expect: { rows: '±20 %' } })
    await source(name, Seen.columns, rows(1, '2024-01-05'))
    expect((await runs(newest)).error?.problem).toBe('dato 2024-01-05: 1 row, expected ±20 % of the 2 it has now (2 to 2)')
  })

  test('of the last version: append', async () => {
    const name = 'added'
    const expecting = many(name, { write: append(), expect: { rows: '±20 %' } })
    await source(name, Seen.columns, rows(10))
    expect((await runs(expecting)).error).toBe(undefined)
    await source(name, Seen.columns, rows(11))
    expect((await runs(expecting)).audited).toMatchObject({
      budget: expect.stringMatching(/^11 rows, expected ±20 % of the 10 /),
    })
    await source(name, Seen.columns, rows(3))
    const before = await ask(local.url, `SELECT COUNT(*) AS n FROM \`team-dev.published.${name}\``)
    expect((await runs(expecting)).error?.problem).toMatch(/^3 rows, expected ±20 % of the 11 of version \S+Z \(9 to 13\)$/)
    expect(await ask(local.url, `SELECT COUNT(*) AS n FROM \`team-dev.published.${name}\``)).toEqual(before)
  })

  const Case = row({ id: z.int(), exact: bq.bignumeric(), gone: z.boolean() }, { key: ['id', 'exact'] })
  const cases = (from: number, to: number, gone = false) =>
    Array.from({ length: to - from }, (_, n) => ({ id: from + n, exact: '1.5', gone }))
  const merged = (name: string, more: object): NamedPipeline => ({
    ...(pipeline({
      schedule: '0 6 * * *',
      from: { cases: table(Case, `source.${name}`) },
      to: dataset('published').table(name, Case),
      ...more,
    } as never) as Pipeline),
    name,
  })

  test('of the table as it will be: merge that keeps what the result lacks', async () => {
    const name = 'kept'
    const expecting = merged(name, { write: merge(), expect: { rows: '+20 %/-0 %' } })
    await source(name, Case.columns, cases(0, 20))
    expect((await runs(expecting)).audited).toMatchObject({ budget: '20 rows, expected +20 %/-0 %' })
    await source(name, Case.columns, cases(18, 24))
    expect((await runs(expecting)).audited).toMatchObject({ budget: '24 rows, expected +20 %/-0 % of the 20 it has now' })
    await source(name, Case.columns, cases(20, 40))
    const before = await world(name)
    expect((await runs(expecting)).error?.problem).toBe('40 rows, expected +20 %/-0 % of the 24 it has now (24 to 28)')
    expect(await world(name)).toEqual(before)
  })

  test.each([
    ['missing', (lost: number) => cases(lost, 40)],
    [{ when: 'gone' }, (lost: number) => [...cases(0, lost, true), ...cases(lost, 40)]],
  ] as const)('of what a merge deletes: %j', async (deletes, source_) => {
    const name = typeof deletes === 'string' ? 'missing' : 'marked'
    const expecting = (more = {}) => merged(name, { write: merge({ deletes } as never), ...more })
    await source(name, Case.columns, cases(0, 40))
    expect((await runs(expecting())).error).toBe(undefined)
    await source(name, Case.columns, source_(11))
    const before = await world(name)
    const { error } = await runs(expecting())
    expect(error?.problem).toBe('11 rows of 40 would be deleted (27.5 %), expected ≤ 5 %')
    expect(error?.hint).toMatch(/`npm run etl -- run \w+ --accept` lets one run pass, or change expect in/)
    expect(await world(name)).toEqual(before)
    expect((await looked(expecting())).broken).toEqual([])

    await source(name, Case.columns, [])
    const nothing = (await runs(expecting())).error
    expect(nothing?.problem).toMatch(/^the result is empty, and version \S+ had 40 rows$/)
    expect(nothing?.hint).toContain("say empty: 'allowed'")
    expect(await world(name)).toEqual(before)

    await source(name, Case.columns, source_(11))
    const told = { expect: { deletes: '≤ 30 %', rows: '±30 %' } }
    expect((await runs(expecting(told))).audited).toMatchObject({ budget: '29 rows, expected ±30 % of the 40 it has now' })
    expect(await ask(local.url, `SELECT COUNT(*) AS n FROM \`team-dev.published.${name}\``)).toEqual([{ n: 29n }])
  })

  test('rows that a merge deletes are no part of the result, and owe nothing but their key', async () => {
    const name = 'old_rows'
    await source(name, Case.columns, cases(0, 12))
    expect((await runs(merged(name, { write: merge({ deletes: 'missing' }) }))).error).toBe(undefined)
    const Stricter = row({ id: z.int().min(2), exact: bq.bignumeric(), gone: z.boolean() }, { key: ['id', 'exact'] })
    const stricter = merged(name, {
      to: dataset('published').table(name, Stricter),
      write: merge({ deletes: 'missing' }),
      audits: { 'none is below two': sql`SELECT id FROM ${'result'} WHERE id < 2` },
    })
    await source(name, Case.columns, cases(2, 12))
    expect((await runs(stricter)).error).toBe(undefined)
    expect(await ask(local.url, `SELECT MIN(id) AS first, COUNT(*) AS n FROM \`team-dev.published.${name}\``)).toEqual([
      { first: 2n, n: 10n },
    ])
  })
})

/** For JSON: what it can't say, as text, errors with all that they carry. */
function said(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Error ? [value.message, value.stack] : value
}

test('no value of personal data is told, wherever a wrong row puts it', async () => {
  const Person = row({ fnr: z.string().meta({ pii: 'direct' }), navn: z.string(), city: z.string(), number: z.int() })
  const Strict = row(
    { fnr: z.string().max(3).meta({ pii: 'direct' }), navn: z.string().max(3), city: z.enum(['oslo']) },
    { key: ['navn'] },
  )
  let count = 0
  const text = fc.stringMatching(/^[a-zæøå]{12,20}$/)
  await fc.assert(
    fc.asyncProperty(
      rowsOf(Person, { maxLength: 4 }).filter(rows => rows.length > 1),
      fc.array(text, { minLength: 3, maxLength: 3 }),
      async (rows, secrets) => {
        const name = `person${++count}`
        const [fnr = '', navn = '', city = ''] = secrets
        const wrong = rows.map((each, number) => ({ ...(each as AnyRow), fnr, navn, city, number }))
        await source(name, Person.columns, wrong)
        const made = pipeline({
          schedule: '0 6 * * *',
          from: { people: table(Person, `source.${name}`) },
          transform: sql`SELECT fnr, navn, city FROM ${'people'}`,
          to: dataset('published').table(name, Strict),
          write: replace(),
          audits: { 'nobody is here': sql`SELECT fnr AS whatever, city FROM ${'result'}` },
        })
        const people = { ...made, name }
        const { error, events } = await runs(people)
        expect(error?.kind).toBe('audit')
        expect(error?.problem).toContain(`audit "nobody is here": ${rows.length} rows (whatever, city)`)
        const ledger = await ask(local.url, 'SELECT message, hint FROM `team-dev.published_etl.runs`')
        const told = JSON.stringify([error?.message, error?.stack, events, ledger, await looked(people)], said)
        for (const secret of secrets) expect(told).not.toContain(secret)
        expect(
          JSON.stringify(
            (await looked(people, true)).broken?.map(({ rows: shown }) => shown),
            said,
          ),
        ).toContain(fnr)
      },
    ),
    { numRuns: 4, interruptAfterTimeLimit: 30_000 },
  )
}, 60_000)
