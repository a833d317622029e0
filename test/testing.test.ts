import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { bq, dataset, each, partition, pipeline, replace, row, sql, table } from 'nais-etl'
import {
  auditOn,
  caseOf,
  cases,
  difference,
  expectedRows,
  rowsOf,
  runOn,
  sourceRows,
  testPipeline,
  twinOn,
} from 'nais-etl/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { checkRows } from '../src/domain/check.ts'
import { twinsAgree } from '../src/testing/twins.ts'

const Seen = row({ dato: z.iso.date(), cluster: z.string() })
const Counted = row({ dato: z.iso.date(), antall: z.int() }, { key: ['dato'] })
const to = dataset('tellinger').table('antall', Counted)
const from = { seen: table(Seen, 'a.b') }
type SeenRow = { dato: string; cluster: string }

const count = (seen: readonly SeenRow[]) =>
  [...new Set(seen.map(each => each.dato))].map(dato => ({ dato, antall: seen.filter(each => each.dato === dato).length }))
const twin = sql`SELECT dato, COUNT(*) AS antall FROM ${'seen'} GROUP BY dato`
const whole = pipeline({ schedule: '0 5 * * *', from, transform: ({ seen }) => count(seen), twin, to, write: replace() })

let home = ''
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'fixtures-'))
})
afterAll(() => rm(home, { recursive: true }))

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true })
    await writeFile(join(home, path), text)
  }
}

describe('cases', () => {
  test('are the folders, and a folder has expected rows or a refusal', async () => {
    await write({
      'good/b/seen.csv': 'dato,cluster\n2022-01-20,x\n',
      'good/b/expected.csv': 'dato,antall\n2022-01-20,1\n',
      'good/a/seen.csv': 'dato,cluster\n2022-20-01,x\n',
      'good/a/error.txt': 'month 20\n\n  2022-01-20  \n',
    })
    expect(cases('good', home)).toStrictEqual([
      { name: 'a', folder: join(home, 'good/a'), refused: ['month 20', '2022-01-20'] },
      { name: 'b', folder: join(home, 'good/b'), refused: null },
    ])
    expect(() => caseOf('good', 'c', home)).toThrow('good has no case c (there are: a, b).')
  })

  test('that are broken are refused in a sentence', async () => {
    await write({
      'none/readme.txt': '',
      'neither/x/seen.csv': '',
      'both/x/expected.csv': '',
      'both/x/error.txt': 'x',
      'empty/x/error.txt': '\n',
    })
    expect(() => cases('absent', home)).toThrow(/absent has no case\. Hint: make a folder/)
    expect(() => cases('none', home)).toThrow('has no case.')
    expect(() => cases('neither', home)).toThrow('needs one of expected.csv and error.txt.')
    expect(() => cases('both', home)).toThrow('needs one of expected.csv and error.txt.')
    expect(() => cases('empty', home)).toThrow('error.txt is empty.')
  })

  test('name the file, the row and the column of what does not fit', async () => {
    await write({
      'rows/x/seen.csv': 'dato,cluster\n2022-01-20,a\n2022-01-32,b\n',
      'rows/x/expected.csv': 'dato,antall\n2022-01-20,many\n',
    })
    const it = caseOf('rows', 'x', home)
    await expect(sourceRows(whole, it)).rejects.toThrow(
      `${join(it.folder, 'seen.csv')} › row 2 › dato: 2022-01-32 is no date (day 32 of month 01).`,
    )
    await expect(expectedRows(whole, it)).rejects.toThrow(
      `${join(it.folder, 'expected.csv')} › row 1 › antall: expected a whole number, got "many".`,
    )
  })

  test('hold no csv that nothing reads', async () => {
    const expected = 'dato,antall\n'
    await write({ 'slip/x/sen.csv': 'dato,cluster\n', 'slip/x/expected.csv': expected })
    await expect(sourceRows(whole, caseOf('slip', 'x', home))).rejects.toMatchObject({
      kind: 'fixture',
      problem: `${join(home, 'slip/x')} has sen.csv, which nothing reads.`,
      hint: "did you mean seen.csv? a csv is called as a source in the pipeline's from, or expected.csv: seen.csv, expected.csv",
    })
    await write({
      'more/x/seen.csv': 'dato,cluster\n',
      'more/x/expected.csv': expected,
      'more/x/old.CSV': '',
      'more/x/notes.txt': '',
    })
    await expect(sourceRows(whole, caseOf('more', 'x', home))).rejects.toThrow('has old.CSV, which nothing reads. Hint: a csv is')
  })

  test('may hold the same key once only', async () => {
    await write({ 'keys/x/seen.csv': 'dato,cluster\n', 'keys/x/expected.csv': 'dato,antall\n2022-01-20,1\n2022-01-20,2\n' })
    await expect(expectedRows(whole, caseOf('keys', 'x', home))).rejects.toThrow(
      'row 2: has the same key as row 1 (dato 2022-01-20).',
    )
  })

  test("read the guide's eight columns, its JSON arrays as arrays", async () => {
    const App = row({
      name: z.string(),
      cluster: z.string(),
      dato: z.iso.date(),
      namespace: z.string(),
      collection_time: bq.datetime(),
      team: z.string(),
      image: z.string(),
      ingresses: z.array(z.string()),
    })
    const apps = pipeline({
      schedule: '0 5 * * *',
      from: { apps: table(App, 'a.b') },
      to: dataset('kopi').table('apps', App),
      write: replace(),
    })
    const rows = await runOn(apps, await sourceRows(apps, caseOf('apps-per-env', 'guide')))
    expect(rows.map(each => each.ingresses)).toStrictEqual([
      ['https://aap-soknad.dev.nav.no'],
      ['https://arbeidsgiver-q.nav.no/sykefravarsstatistikk', 'https://arbeidsgiver.dev.nav.no/sykefravarsstatistikk'],
      [],
      ['https://aareg-otp-api.nais.adeo.no'],
      ['https://altinnkanal-2.nais.preprod.local'],
      ['https://www.nav.no/person/behov-for-tilrettelegging'],
    ])
    expect(rows[0]).toMatchObject({ name: 'aap-soknad', collection_time: '2021-10-30T06:13:21.987354', team: 'aap' })
  })
})

describe('audits of the author', () => {
  const audited = (audits: Parameters<typeof auditOn>[0]['audits']) =>
    pipeline({ schedule: '0 5 * * *', from, transform: ({ seen }) => count(seen), to, write: replace(), audits })
  const days = sql`SELECT dato, antall FROM ${'result'} WHERE antall > 1`

  test('are held against the result, on Google’s evaluator', async () => {
    const strict = audited({
      'once a day': days,
      'no fewer days': sql`SELECT dato FROM ${'current'} EXCEPT DISTINCT SELECT dato FROM ${'result'}`,
    })
    await expect(auditOn(strict, [{ dato: '2022-01-20', antall: 1 }])).resolves.toBe(undefined)
    await expect(auditOn(strict, [{ dato: '2022-01-20', antall: 2 }], [{ dato: '2022-01-19', antall: 1 }])).rejects.toMatchObject(
      {
        kind: 'audit',
        problem: 'audit "once a day": 1 row (dato 2022-01-20, antall 2) · audit "no fewer days": 1 row (dato 2022-01-19)',
      },
    )
  })

  test('that are no GoogleSQL are told by name', async () => {
    await expect(auditOn(audited({ slip: sql`SELECT datum FROM ${'result'}` }), [])).rejects.toThrow(
      /^audit "slip": Google's evaluator says: .*datum/,
    )
  })

  test('of other tables, or of none, are refused when the pipeline is made', () => {
    const query = (...names: string[]) => ({ kind: 'sql', strings: ['SELECT 1 FROM ', ''], names }) as never
    expect(() => audited({ a: query('seen') })).toThrow('audits: "a" names seen.')
    expect(() => audited({ a: query('current') })).toThrow('audits: "a" does not look at the result.')
    expect(() => audited({ ' ': query('result') })).toThrow('audits: an audit has no name.')
  })
})

describe('a transform sees what a run gives it', () => {
  const seen = [
    { dato: '2022-01-21', cluster: 'a' },
    { dato: '2022-01-20', cluster: 'b', more: 'dropped' },
    { dato: '2022-01-21', cluster: 'c' },
  ]

  test('one slice a call, in the order of the dates', async () => {
    const calls: unknown[] = []
    const sliced = pipeline({
      schedule: '0 5 * * *',
      from,
      transform: rows => {
        calls.push(rows.seen)
        return count(rows.seen)
      },
      to,
      write: partition('dato'),
    })
    expect(await runOn(sliced, { seen })).toStrictEqual([
      { dato: '2022-01-20', antall: 1 },
      { dato: '2022-01-21', antall: 2 },
    ])
    expect(calls).toStrictEqual([[{ dato: '2022-01-20', cluster: 'b' }], [seen[0], seen[2]]])
    expect(await runOn(sliced, { seen: [] })).toStrictEqual([])
  })

  test('everything at once where the table is replaced', async () => {
    expect(await runOn(whole, { seen })).toStrictEqual([
      { dato: '2022-01-21', antall: 2 },
      { dato: '2022-01-20', antall: 1 },
    ])
  })

  test('row by row with each, and nothing at all without a transform', async () => {
    const echoed = pipeline({
      schedule: '0 5 * * *',
      from,
      transform: each(({ seen: one }: { seen: SeenRow }) => (one.cluster === 'a' ? [] : [one])),
      to: dataset('kopi').table('t', Seen),
      write: replace(),
    })
    expect(await runOn(echoed, { seen })).toHaveLength(2)
    const copied = pipeline({ schedule: '0 5 * * *', from, to: dataset('kopi').table('t', Seen), write: replace() })
    expect(await runOn(copied, { seen })).toHaveLength(3)
  })

  test('in SQL, on Google’s evaluator', async () => {
    const query = pipeline({ schedule: '0 5 * * *', from, transform: twin, to, write: replace() })
    const result = await runOn(query, { seen })
    expect(
      difference(
        Counted,
        [
          { dato: '2022-01-20', antall: 1 },
          { dato: '2022-01-21', antall: 2 },
        ],
        result,
      ),
    ).toBeUndefined()
  })
})

describe('a transform is refused', () => {
  const returns = (result: unknown, write: ReturnType<typeof replace> | ReturnType<typeof partition> = replace()) =>
    pipeline({ schedule: '0 5 * * *', from, transform: () => result as never, to, write: write as ReturnType<typeof replace> })
  const seen = [{ dato: '2022-01-20', cluster: 'a' }]

  test.each([
    ['no rows but a promise', Promise.resolve([]), 'expected an array of rows, got object.'],
    ['null', null, 'expected an array of rows, got null.'],
    [
      'a row that does not fit',
      [{ dato: '2022-01-20', antall: 0.5 }],
      'transform › row 1 › antall: expected integer, got number 0.5.',
    ],
    [
      'two rows of one key',
      [
        { dato: '2022-01-20', antall: 1 },
        { dato: '2022-01-20', antall: 1 },
      ],
      'transform › row 2: has the same key as row 1',
    ],
  ])('that returns %s', async (_, result, sentence) => {
    await expect(runOn(returns(result), { seen })).rejects.toThrow(sentence)
  })

  test('that returns a row of another slice', async () => {
    const stray = returns([{ dato: '2022-01-21', antall: 1 }], partition('dato'))
    await expect(runOn(stray, { seen })).rejects.toThrow(
      'the transform got the slice 2022-01-20 and returned a row of 2022-01-21.',
    )
  })

  test('whose source row does not fit, at the source', async () => {
    await expect(runOn(whole, { seen: [...seen, { dato: '2022-01-20', cluster: null }] })).rejects.toThrow(
      'read seen › row 2 › cluster: expected string, got null.',
    )
    await expect(runOn(whole, {})).rejects.toThrow('there are no rows for the source seen.')
  })

  const query = (text: ReturnType<typeof sql<['seen']>>) =>
    pipeline({ schedule: '0 5 * * *', from, transform: text, to, write: replace() })

  test('in SQL that is wrong, has another type, or lacks a column', async () => {
    await expect(runOn(query(sql`SELECT dato, COUNT(*) AS antall FROM ${'seen'}`), { seen })).rejects.toThrow(
      /Google's evaluator says: .*neither grouped nor aggregated/,
    )
    await expect(runOn(query(sql`SELECT dato, 1.5 AS antall FROM ${'seen'}`), { seen })).rejects.toThrow(
      'the query gives antall as FLOAT64, and the row schema says INT64. Hint: cast it',
    )
    await expect(runOn(query(sql`SELECT dato FROM ${'seen'}`), { seen })).rejects.toThrow(
      'the query gives no column antall (it gives dato DATE).',
    )
  })
})

describe('a twin that is not equal is found', () => {
  const twins = (other: ReturnType<typeof sql<['seen']>>) =>
    pipeline({ schedule: '0 5 * * *', from, transform: ({ seen }) => count(seen), twin: other, to, write: replace() })

  test('and shown on the smallest rows', async () => {
    const wrong = twins(sql`SELECT dato, COUNT(DISTINCT cluster) AS antall FROM ${'seen'} GROUP BY dato`)
    await expect(twinsAgree(wrong, 100)).rejects.toThrow(
      /the twin gives other rows than the function: expected 1 row, got 1: 1 missing \(-\), 1 too many \(\+\)\n {2}dato {8}antall\n- \S+ {2}2\n\+ \S+ {2}1/,
    )
  })

  test('also when it fails', async () => {
    await expect(twinsAgree(twins(sql`SELECT dato, DIV(1, 0) AS antall FROM ${'seen'} GROUP BY dato`), 20)).rejects.toThrow(
      'division by zero',
    )
  })

  test('and one that is equal passes', async () => {
    await twinsAgree(whole, 100)
    expect(await twinOn(whole, { seen: [{ dato: '2022-01-20', cluster: 'a' }] })).toStrictEqual([
      { dato: '2022-01-20', antall: 1 },
    ])
  })
})

describe('the difference of two sets of rows', () => {
  const T = row({ navn: z.string().nullable(), antall: z.int(), pris: bq.numeric() }, { key: ['antall'] })

  test('is none for the same rows in another order, compared as BigQuery compares', () => {
    const a = { navn: 'a', antall: 1, pris: '1.0' }
    const b = { navn: null, antall: 2, pris: '0' }
    expect(
      difference(
        T,
        [a, b],
        [
          { ...b, pris: '-0.00' },
          { ...a, pris: '1' },
        ],
      ),
    ).toBeUndefined()
    expect(difference(T, [a, a], [a])).toContain('1 missing')
  })

  test('shows both sides of a changed row together, aligned', () => {
    const expected = [
      { navn: 'andre', antall: 2, pris: '10' },
      { navn: null, antall: 1, pris: '1' },
    ]
    const got = [
      { navn: 'null', antall: 1, pris: '1' },
      { navn: 'andre', antall: 2, pris: '10' },
    ]
    expect(difference(T, expected, got)).toBe(
      [
        'expected 2 rows, got 2: 1 missing (-), 1 too many (+)',
        '  navn    antall  pris',
        '- null    1       1',
        '+ "null"  1       1',
        '  andre   2       10',
      ].join('\n'),
    )
  })
})

describe('generated rows', () => {
  const Every = row({
    text: z.string().min(2).max(5),
    choice: z.enum(['a', 'b']).nullable(),
    code: z.string().regex(/^[A-Z]{2}-[0-9]+$/),
    small: z.int().min(-3).max(3).multipleOf(3),
    large: bq.int64(),
    share: z.number().min(0).max(1),
    any: z.number(),
    flag: z.boolean(),
    amount: bq.numeric(),
    exact: bq.bignumeric(),
    day: z.iso.date(),
    clock: z.iso.time(),
    local: bq.datetime(),
    at: bq.timestamp(),
    raw: bq.bytes(),
    json: bq.json(),
    id: z.uuid(),
    list: z.array(z.object({ x: z.string().nullable(), y: z.array(z.int()) })),
  })

  test('fit their schema, and reach its corners', async () => {
    const seen: Record<string, unknown>[] = []
    await fc.assert(
      fc.property(rowsOf(Every), rows => {
        seen.push(...(checkRows(Every, rows) as Record<string, unknown>[]))
      }),
      { numRuns: 300 },
    )
    expect(new Set(seen.map(each => each.choice))).toStrictEqual(new Set(['a', 'b', null]))
    expect(new Set(seen.map(each => each.small))).toStrictEqual(new Set([-3, 0, 3]))
    expect(seen.some(each => Number.isNaN(each.any))).toBe(true)
    expect(seen.some(each => String(each.at) < '1970')).toBe(true)
    expect(seen.some(each => (each.list as unknown[]).length === 0)).toBe(true)
  })

  test('meet in groups, and have distinct keys where there is a key', () => {
    const sets = fc.sample(rowsOf(Seen, { bias: { cluster: ['prod-gcp'] } }), 100) as SeenRow[][]
    expect(sets.some(rows => new Set(rows.map(each => each.dato)).size < rows.length)).toBe(true)
    expect(sets.flat().some(each => each.cluster === 'prod-gcp')).toBe(true)
    for (const rows of fc.sample(rowsOf(Counted), 100)) expect(new Set(rows.map(each => each.dato)).size).toBe(rows.length)
  })
})

// The helper that registers tests, on a pipeline of its own.
testPipeline(
  pipeline({
    schedule: '0 5 * * *',
    from: { apps: table(Seen, 'a.b') },
    to: dataset('kopi').table('apps', Seen),
    write: partition('dato'),
    twin: sql`SELECT * FROM ${'apps'}`,
    audits: { 'every app has a cluster': sql`SELECT dato FROM ${'result'} WHERE cluster = ''` },
  }),
  'kopi',
  {
    fixtures: 'test/testing/fixtures',
    runs: 20,
  },
)
