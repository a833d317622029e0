import { append, bq, dataset, each, env, merge, partition, pipeline, type Row, replace, row, sql, table } from 'nais-etl'
import { expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import { partsOf } from '../../src/domain/pipeline.ts'

const Every = row({
  text: z.string().min(1).meta({ description: 'any text', pii: 'direct' }),
  choice: z.enum(['a', 'b']),
  one: z.literal('x'),
  id: z.uuid(),
  address: z.email().nullable(),
  whole: z.int().positive().nullish(),
  share: z.number().optional(),
  flag: z.boolean(),
  day: z.iso.date(),
  clock: z.iso.time(),
  large: bq.int64(),
  amount: bq.numeric(),
  exact: bq.bignumeric(),
  at: bq.timestamp(),
  local: bq.datetime(),
  date: bq.date(),
  time: bq.time(),
  raw: bq.bytes(),
  json: bq.json(),
  place: bq.geography().nullable(),
  person: z.object({ name: z.string(), born: z.iso.date().nullable() }).nullable(),
  list: z.array(z.object({ tags: z.array(z.string()) })),
})

test('a row schema is the type of its rows', () => {
  expectTypeOf<Row<typeof Every>>().toEqualTypeOf<
    Readonly<{
      text: string
      choice: 'a' | 'b'
      one: 'x'
      id: string
      address: string | null
      whole: number | null
      share: number | null
      flag: boolean
      day: string
      clock: string
      large: bigint
      amount: string
      exact: string
      at: string
      local: string
      date: string
      time: string
      raw: Uint8Array
      json: string
      place: string | null
      person: { name: string; born: string | null } | null
      list: { tags: string[] }[]
    }>
  >()
  expect(Every.columns.map(({ name, type, mode }) => `${name} ${type} ${mode}`)).toStrictEqual([
    'text STRING REQUIRED',
    'choice STRING REQUIRED',
    'one STRING REQUIRED',
    'id STRING REQUIRED',
    'address STRING NULLABLE',
    'whole INT64 NULLABLE',
    'share FLOAT64 NULLABLE',
    'flag BOOL REQUIRED',
    'day DATE REQUIRED',
    'clock TIME REQUIRED',
    'large INT64 REQUIRED',
    'amount NUMERIC REQUIRED',
    'exact BIGNUMERIC REQUIRED',
    'at TIMESTAMP REQUIRED',
    'local DATETIME REQUIRED',
    'date DATE REQUIRED',
    'time TIME REQUIRED',
    'raw BYTES REQUIRED',
    'json JSON REQUIRED',
    'place GEOGRAPHY NULLABLE',
    'person RECORD NULLABLE',
    'list RECORD REPEATED',
  ])
})

const Seen = row({ dato: z.iso.date(), cluster: z.string() })
const Counted = row({ dato: z.iso.date(), antall: z.int() }, { key: ['dato'] })
const to = dataset(env({ dev: 'telling_dev', prod: 'telling' })).table('antall', Counted)
const common = { schedule: '0 5 * * *', to, write: partition('dato') } as const

test('a transform is a function of its sources, row by row, or SQL that names them', () => {
  const from = { seen: table(Seen, env({ dev: 'a-dev.b.c', prod: 'a-prod.b.c' })) }
  const kinds = [
    pipeline({ ...common, from, transform: ({ seen }) => seen.map(({ dato }) => ({ dato, antall: 1 })) }),
    pipeline({ ...common, from, transform: each(({ seen }: { seen: Row<typeof Seen> }) => [{ dato: seen.dato, antall: 1 }]) }),
    pipeline({ ...common, from, transform: sql`SELECT dato, COUNT(*) AS antall FROM ${'seen'} GROUP BY dato` }),
    pipeline({ ...common, from: { seen: table(Counted, 'a.b') } }),
  ]
  expect(kinds.map(({ transform }) => transform.kind)).toStrictEqual(['rows', 'each', 'sql', 'none'])
})

test('a source with more columns than the target needs no transform', () => {
  const Wide = row({ ...Counted.shape, more: z.string() })
  const copy = pipeline({
    schedule: '0 5 * * *',
    from: { wide: table(Wide, 'a.b') },
    to,
    write: replace({ history: '400 days' }),
  })
  expect(copy.transform).toStrictEqual({ kind: 'none' })
})

test('audits name the result and what is there now; a budget is one of few texts', () => {
  const { audits, expect: budget } = pipeline({
    schedule: '0 5 * * *',
    from: { wide: table(Counted, 'a.b') },
    to,
    write: merge({ deletes: 'missing' }),
    audits: {
      'no day is lost': sql`SELECT dato FROM ${'current'} EXCEPT DISTINCT SELECT dato FROM ${'result'}`,
      'some day is there': sql`SELECT COUNT(*) FROM ${'result'} HAVING COUNT(*) = 0`,
    },
    expect: { rows: ['±2.5 %', '+50 %/-10 %', '≥ 1000', '<= 50000'], deletes: '≤ 20 %' },
  })
  expect(Object.keys(audits)).toStrictEqual(['no day is lost', 'some day is there'])
  expect(budget).toMatchObject({
    rows: [{ up: 2.5, down: 2.5 }, { up: 50, down: 10 }, { rows: 1000 }, { rows: 50000 }],
    deletes: { percent: 20 },
  })
})

test('every write mode is written in a word, and a pipeline may have further results', () => {
  const Sak = row({ id: z.int(), dato: z.iso.date(), slettet: z.boolean() }, { key: ['id'] })
  const from = { saker: table(Sak, 'a.b') }
  const target = (name: string) => dataset('saker').table(name, Sak, { partitionBy: 'dato' })
  const made = pipeline({ schedule: '0 5 * * *', from, to: target('a'), write: merge() })
    .and({ to: target('b'), write: merge({ deletes: 'missing', history: '30 days' }) })
    .and({ to: target('c'), write: merge({ deletes: { when: 'slettet' } }) })
    .and({ to: target('d'), write: append(), transform: ({ saker }) => saker.filter(sak => !sak.slettet) })
    .and({ to: target('e'), write: replace({ history: 'snapshot', maxReplaceBytes: 10 }) })
  expect(partsOf({ ...made, name: 'x' }).map(({ to: { table: name }, write }) => `${name} ${write.mode}`)).toEqual([
    'a merge',
    'b merge',
    'c merge',
    'd append',
    'e replace',
  ])
  expect(() => made.and({ to: target('b'), write: append() })).toThrow('the table b stands twice.')
})
