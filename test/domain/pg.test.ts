import fc from 'fast-check'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PgValue, pg, pgLiteral } from '../../src/domain/pg.ts'
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts'

// A literal is right if a real Postgres reads it back byte for byte, whatever it is set to, and runs nothing else.
let server: TestPostgres
const clients: Record<string, Client> = {}
beforeAll(async () => {
  server = await startTestPostgres()
  for (const conforming of ['on', 'off']) {
    const client = await server.session()
    await client.query(`SET standard_conforming_strings = ${conforming}; SET escape_string_warning = off`)
    clients[conforming] = client
  }
})
afterAll(async () => {
  for (const client of Object.values(clients)) await client.end()
  await server?.stop()
})

/** The text that Postgres reads, as its bytes in hex. */
async function read(sql: string, conforming: string): Promise<string> {
  const { rows } = await (clients[conforming] as Client).query(`SELECT encode(convert_to(${sql}, 'UTF8'), 'hex') AS hex`)
  return (rows as { hex: string }[])[0]?.hex ?? ''
}

const hex = (text: string) => Buffer.from(text).toString('hex')

const hostile = [
  '',
  "'",
  "''",
  "\\'",
  "\\'; DROP TABLE sak; --",
  "'; DROP TABLE sak; --",
  "' || pg_sleep(100) || '",
  '\\',
  '\\\\',
  "\\\\'",
  "E'\\''",
  "e'x'",
  "U&'\\0041'",
  "b'101'",
  '$$',
  "$tag$'$tag$",
  '$1',
  '"',
  '--',
  '/*',
  '*/',
  ';',
  '\n\r\n\t\b\f',
  '\\n\\x41\\101\\u0041\\U00000041',
  'æøå ÆØÅ é 漢字 🙂 \u{10ffff} \u200b \u2028\ufeff',
  '\u0001\u001f\u007f\u0085',
  "%' OR 1=1 --",
  ':name ?',
]

describe.each(['on', 'off'])('with standard_conforming_strings %s', conforming => {
  test.each(hostile)('%j is read as it is', async text => {
    expect(await read(pgLiteral.string(text), conforming)).toBe(hex(text))
    // Next to other words, as it stands in a query.
    expect(await read(pg`concat(${text},${text})`.text, conforming)).toBe(hex(text + text))
    const { rows } = await (clients[conforming] as Client).query(pg`SELECT 1 AS en WHERE 'x'=${text}OR ${text}IS NOT NULL`.text)
    expect(rows).toEqual([{ en: 1 }])
  })

  test('so is any text', async () => {
    const unit = fc.constantFrom("'", '\\', '$', '"', '\n', 'E', 'u', 'x', '0', ';', '-', '/', '*', ' ', 'ø', '🙂')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit }), { minLength: 1, maxLength: 40 }), async texts => {
        const list = texts.map(text => `encode(convert_to(${pgLiteral.string(text)}, 'UTF8'), 'hex')`).join(', ')
        const { rows } = await (clients[conforming] as Client).query({ text: `SELECT ${list}`, rowMode: 'array' })
        expect(rows[0]).toEqual(texts.map(hex))
      }),
      { numRuns: 60 },
    )
  })
})

test.each<[PgValue, string]>([
  [null, ''],
  [true, 'true'],
  [false, 'false'],
  [0, '0'],
  [-0, '0.0'],
  [-1.5, '-1.5'],
  [1e300, `1${'0'.repeat(300)}`],
  [9007199254740993n, '9007199254740993'],
  [-9223372036854775808n, '-9223372036854775808'],
  [Number.NaN, 'NaN'],
  [Infinity, 'Infinity'],
  [-Infinity, '-Infinity'],
])('%s is a value, also behind a minus', async (value, text) => {
  expect(Buffer.from(await read(`coalesce((${pgLiteral.value(value)})::text, '')`, 'on'), 'hex').toString()).toBe(text)
  if (typeof value === 'bigint' || typeof value === 'number') {
    const { rows } = await (clients.on as Client).query(pg`SELECT 1.0 -${value} AS n`.text)
    expect(rows).toHaveLength(1)
  }
})

test.each(['a"b', 'Stor', 'group', "'", 'æ', '"; DROP TABLE sak; --'])('%j is a column', async name => {
  const { fields } = await (clients.on as Client).query(`SELECT 1 AS ${pgLiteral.name(name)}`)
  expect(fields[0]?.name).toBe(name)
})

test('what Postgres has no text for is refused', () => {
  expect(() => pg`SELECT ${'a\0b'}`).toThrow('NUL: Postgres has none')
  expect(() => pg`SELECT ${'\ud800'}`).toThrow('half of a surrogate pair')
  expect(() => pg` `).toThrow('pg`` is empty')
})

test('the text itself stays as it is, but for the semicolon at its end', async () => {
  expect(pg`SELECT '\d', E'\\x' ; `.text).toBe(String.raw`SELECT '\d', E'\\x'`)
})
