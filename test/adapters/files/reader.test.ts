import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bq, file, row } from 'nais-etl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { readCsv } from '../../../src/adapters/files/csv.ts'
import { createFileReader } from '../../../src/adapters/files/reader.ts'
import type { AnyRow } from '../../../src/domain/column.ts'

const App = row({ dato: z.iso.date(), cluster: z.string() })
const never = new AbortController().signal

let root: string
let reader: ReturnType<typeof createFileReader>
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'files-test-'))
  reader = createFileReader({ root, environment: 'dev' })
})
afterAll(() => rm(root, { recursive: true, force: true }))

const write = async (name: string, text: string | Uint8Array) => {
  await writeFile(join(root, name), text)
  return join(root, name)
}

describe('a CSV file', () => {
  test('is read by the names of its header: the columns that are asked for, in any order', async () => {
    await write('apps.csv', 'name,cluster,dato\na,dev-gcp,2022-01-20\nb,"prod, ""fss""\nline",2022-01-21\n')
    const source = file(App, 'apps.csv')
    expect(await reader.facts(source)).toEqual({
      name: 'apps.csv',
      columns: [{ name: 'name' }, { name: 'cluster' }, { name: 'dato' }],
      rows: 2,
    })
    const rows: AnyRow[] = []
    for await (const page of reader.read(source, { columns: App.columns, slices: null }, never)) rows.push(...page)
    expect(rows).toEqual([
      { dato: '2022-01-20', cluster: 'dev-gcp' },
      { dato: '2022-01-21', cluster: 'prod, "fss"\nline' },
    ])
  })

  test('is read slice after slice, whatever its order', async () => {
    await write('mixed.csv', 'dato,cluster\n2022-01-03,c\n2022-01-01,a\n2022-01-02,b\n2022-01-01,d\n')
    const source = file(App, 'mixed.csv')
    expect(await reader.dates(source, 'dato', '2022-01-02')).toEqual(['2022-01-01', '2022-01-02'])
    const slices = { column: 'dato', dates: ['2022-01-01', '2022-01-03'] }
    const rows: AnyRow[] = []
    for await (const page of reader.read(source, { columns: App.columns, slices }, never)) rows.push(...page)
    expect(rows.map(each => each.cluster)).toEqual(['a', 'd', 'c'])
    expect(reader.text(source, { columns: App.columns, slices })).toBe(
      'the rows of mixed.csv whose dato is one of 2 dates (2022-01-01 to 2022-01-03)',
    )
  })

  test('has values of every type; arrays and records are JSON, and no number is rounded', async () => {
    const All = row({
      whole: z.int(),
      big: bq.int64(),
      number: z.number(),
      flag: z.boolean(),
      numeric: bq.numeric(),
      at: bq.timestamp(),
      exported: bq.timestamp(),
      local: bq.datetime(),
      time: bq.time(),
      bytes: bq.bytes(),
      json: bq.json(),
      ids: z.array(bq.int64()),
      tags: z.array(z.string()),
      inner: z.object({ n: bq.numeric(), day: z.iso.date().nullable() }),
    })
    const path = await write(
      'all.csv',
      `${All.columns.map(column => column.name).join(',')}\n` +
        '-1,9223372036854775807,-inf,TRUE,1.50,2024-01-31T07:30:00.000001+01:00,2024-01-31 06:30:00.5 UTC,2024-01-31 06:30:00,06:30:00,AP8K,"{""a"": 1}","[9223372036854775807]","[""a"",""b,c""]","{""n"": 12345678901234567890.1, ""day"": null}"\n',
    )
    expect(await readCsv(path, All.columns)).toEqual([
      {
        whole: -1,
        big: 9223372036854775807n,
        number: Number.NEGATIVE_INFINITY,
        flag: true,
        numeric: '1.50',
        at: '2024-01-31T06:30:00.000001Z',
        exported: '2024-01-31T06:30:00.500000Z',
        local: '2024-01-31T06:30:00',
        time: '06:30:00',
        bytes: new Uint8Array([0, 255, 10]),
        json: '{"a": 1}',
        ids: [9223372036854775807n],
        tags: ['a', 'b,c'],
        inner: { n: '12345678901234567890.1', day: null },
      },
    ])
  })

  test('has NULL for an empty field, the empty text for a required STRING or for quotes, and no element for an array', async () => {
    const Some = row({ text: z.string(), maybe: z.string().nullable(), n: z.int().nullable(), list: z.array(z.string()) })
    const path = await write('empty.csv', 'text,maybe,n,list\n,,,\n"","",,[]\n')
    expect(await readCsv(path, Some.columns)).toEqual([
      { text: '', maybe: null, n: null, list: [] },
      { text: '', maybe: '', n: null, list: [] },
    ])
  })
})

describe('a UTF-8 file', () => {
  test('may begin with a byte order mark, and a piece of it may end inside of a character', async () => {
    // 20 bytes a row: some row lies across the 64 KiB that are read at a time, whatever the header's length.
    const cluster = '\u{1f600}\u{1f601}b'
    for (const shift of ['', 'x', 'xx', 'xxx']) {
      const path = await write('utf8.csv', `\ufeffcluster,dato,${shift}y\n${`${cluster},2022-01-20,\n`.repeat(10_000)}`)
      const rows = await readCsv(path, App.columns)
      expect(rows).toHaveLength(10_000)
      expect(rows.every(each => each.cluster === cluster)).toBe(true)
    }
  })

  test('may hold a byte order mark inside of its text', async () => {
    const path = await write('utf8.csv', 'cluster,dato\n\ufeffa,2022-01-20\n')
    expect(await readCsv(path, App.columns)).toEqual([{ cluster: '\ufeffa', dato: '2022-01-20' }])
  })

  test('may have several columns without a name', async () => {
    expect(await readCsv(await write('utf8.csv', 'cluster,dato,,\na,2022-01-20,,\n'), App.columns)).toHaveLength(1)
  })
})

describe('a file that does not fit', () => {
  const refused = async (text: string, columns = App.columns) => {
    await write('bad.csv', text)
    const reading = async () => {
      for await (const _ of createFileReader({ root, environment: 'dev' }).read(
        file(App, 'bad.csv'),
        { columns, slices: null },
        never,
      ))
        void _
    }
    return reading().then(
      () => 'no error',
      error => error.message as string,
    )
  }

  test('is told by file, row and column, with the date that was probably meant', async () => {
    expect(await refused('cluster,dato\na,2022-20-01\n')).toBe(
      'bad.csv › row 1 › dato: 2022-20-01 is no date (month 20). Did you mean 2022-01-20?',
    )
  })

  test('is told by its line too where fields hold line ends', async () => {
    expect(await refused('cluster,dato\n"a\nb",2022-01-20\nc,x\n')).toBe(
      'bad.csv › row 2 (line 4) › dato: "x" is no date (expected year-month-day, such as 2022-01-20).',
    )
  })

  test('never shows personal data', async () => {
    const Person = row({ fnr: z.int().meta({ pii: 'direct' }) })
    expect(await refused('fnr\n01017012345x\n', Person.columns)).toBe(
      'bad.csv › row 1 › fnr: expected a whole number; the value is personal data and not shown.',
    )
    const Nested = row({ person: z.object({ age: z.int().meta({ pii: 'direct' }) }) })
    expect(await refused('person\n"{""age"": ""01017012345x""}"\n', Nested.columns)).not.toContain('01017012345')
  })

  test('without a header line does not show its first row as columns, if any column is personal data', async () => {
    const Person = row({ dato: z.iso.date(), person: z.object({ navn: z.string().meta({ pii: 'direct' }) }) })
    await write('bad.csv', 'dat,Kari,01017012345\n')
    const source = file(Person, 'bad.csv')
    const at = createFileReader({ root, environment: 'dev' })
    const error = 'bad.csv has no column dato. Hint: there are 3 columns; their names are not shown'
    await expect(at.facts(source)).rejects.toThrow(error)
    // Only the slice column is read here, which is none itself.
    await expect(at.dates(source, 'dato', '2024-01-01')).rejects.toThrow(error)
    await expect(at.facts(source)).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/dat,|Kari|0101/) }),
    )
  })

  test.each([
    ['cluster,dato\na\n', 'bad.csv › row 1: 1 field, the header has 2. Hint: put a field with a comma in quotes'],
    ['cluster,dato\n"a,2022-01-20\n', 'bad.csv › line 2: a quote is never closed.'],
    [
      'cluster,dato\na"b,2022-01-20\n',
      'bad.csv › line 2: a quote stands inside a field without quotes: put the field in quotes and write the quote twice.',
    ],
    ['cluster,dato\n"a"b,2022-01-20\n', 'bad.csv › line 2: text follows the closing quote of a field.'],
    ['clustr,dato\n', 'bad.csv has no column cluster. Hint: did you mean clustr? the columns there are: clustr, dato'],
    [
      'Cluster,dato,CLUSTER\n',
      'bad.csv has the column CLUSTER twice in its first line. Hint: give each column a name of its own',
    ],
    [
      'cluster;dato\na;2022-01-20\n',
      'bad.csv has no column dato: its first line is one field with semicolons in it. Hint: columns are separated by commas here: save it so',
    ],
    ['', 'bad.csv is empty. Hint: the first line names the columns'],
  ])('case %#', async (text, message) => {
    expect(await refused(text)).toBe(message)
  })

  test('because it is not UTF-8 is told by file and line, wherever the line stands', async () => {
    const latin1 = Buffer.from('cluster,dato\n"a\nb",2022-01-20\nbl\u00e5,2022-01-20\n', 'latin1')
    const late = Buffer.concat([
      Buffer.from(`cluster,dato\n${'bl\u00e5b\u00e6r,2022-01-20\n'.repeat(20_000)}`),
      Buffer.from([0xe5]),
    ])
    for (const [bytes, line] of [
      [latin1, 4],
      [late, 20_002],
    ] as const) {
      await expect(readCsv(await write('bad.csv', bytes), App.columns)).rejects.toMatchObject({
        kind: 'row',
        problem: `${join(root, 'bad.csv')} › line ${line}: a character is not UTF-8: save the file as UTF-8 (a spreadsheet calls it "CSV UTF-8").`,
      })
    }
  })

  test('or is not there names the file that was probably meant', async () => {
    await write('apps.csv', 'cluster,dato\n')
    await expect(reader.facts(file(App, 'aps.csv'))).rejects.toMatchObject({
      kind: 'notFound',
      problem: 'there is no file aps.csv.',
      hint: 'did you mean apps.csv?',
    })
  })
})
