import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { datesCondition, literal } from '../../src/domain/literal.ts'

/** Reads a literal as GoogleSQL does (Lexical structure, "Escape sequences"): an independent check that nothing ends it early. */
function readLiteral(text: string): string {
  const simple: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"', '`': '`' }
  expect(text.at(0)).toBe("'")
  let value = ''
  let at = 1
  for (; text[at] !== "'"; at++) {
    expect(text[at]).not.toBe(undefined)
    expect(text[at]).not.toMatch(/[\n\r]/)
    if (text[at] !== '\\') {
      value += text[at]
      continue
    }
    at += 1
    const escaped = text[at] as string
    if (escaped === 'u') {
      value += String.fromCharCode(Number.parseInt(text.slice(at + 1, at + 5), 16))
      at += 4
    } else {
      expect(Object.keys(simple)).toContain(escaped)
      value += simple[escaped]
    }
  }
  expect(at).toBe(text.length - 1)
  return value
}

describe('a text literal', () => {
  test('says any text, and ends only where it ends', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        '\\',
        '`',
        '\n',
        '\r',
        '\t',
        '\0',
        '\u2028',
        '\u0085',
        '\u007f',
        ';',
        '-',
        'n',
        'u',
        'x',
        '🦊',
      ),
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), hostile), text => {
        expect(readLiteral(literal.string(text))).toBe(text)
      }),
    )
  })

  test('is refused for half a character: it has no UTF-8', () => {
    expect(() => literal.string('\ud800')).toThrow(RangeError)
  })
})

describe('other literals', () => {
  test.each([
    [() => literal.date('2024-01-31'), "DATE '2024-01-31'"],
    [() => literal.timestamp('2024-01-31T06:30:00.000001Z'), "TIMESTAMP '2024-01-31 06:30:00.000001+00'"],
    [() => literal.number('-12.5'), '-12.5'],
    [() => literal.name('order'), '`order`'],
    [() => literal.table({ project: 'my-project', dataset: 'd', table: 'åpne-saker 1' }), '`my-project.d.åpne-saker 1`'],
  ])('case %#', (make, text) => {
    expect(make()).toBe(text)
  })

  test.each([
    () => literal.date("2024-01-31' OR TRUE --"),
    () => literal.date('2024-02-30'),
    () => literal.timestamp('2024-01-31T06:30:00'),
    () => literal.timestamp('2024-13-31T06:30:00Z'),
    () => literal.number('1; DROP TABLE t'),
    () => literal.number('1e5'),
    () => literal.name('a` FROM x --'),
    () => literal.name('1a'),
    () => literal.table({ project: 'p', dataset: 'd', table: 't`; DROP' }),
    () => literal.table({ project: 'p', dataset: 'd', table: 't\\' }),
    () => literal.table({ project: 'p', dataset: 'd.other', table: 't' }),
  ])('refusal %#', make => {
    expect(make).toThrow(RangeError)
  })
})

describe('the condition for dates', () => {
  test.each([
    [[], 'FALSE'],
    [['2024-02-28'], "`d` = DATE '2024-02-28'"],
    [['2024-02-28', '2024-02-29', '2024-03-01'], "`d` BETWEEN DATE '2024-02-28' AND DATE '2024-03-01'"],
    [['2024-01-01', '2024-01-03', '2024-01-05'], "`d` IN (DATE '2024-01-01', DATE '2024-01-03', DATE '2024-01-05')"],
    [
      ['2024-01-01', '2024-01-02', '2024-01-05'],
      "(`d` BETWEEN DATE '2024-01-01' AND DATE '2024-01-02' OR `d` = DATE '2024-01-05')",
    ],
  ])('of %j', (dates, sql) => {
    expect(datesCondition('d', dates)).toBe(sql)
  })

  test('names exactly the days that were asked for', () => {
    const day = (number: number) => new Date(number * 86_400_000).toISOString().slice(0, 10)
    const days = fc.uniqueArray(fc.integer({ min: 18_000, max: 18_030 }), { maxLength: 20 })
    fc.assert(
      fc.property(days, numbers => {
        const dates = numbers.sort((a, b) => a - b).map(day)
        const sql = datesCondition('d', dates)
        const isNamed = (date: string) =>
          [...sql.matchAll(/BETWEEN DATE '(.{10})' AND DATE '(.{10})'/g)].some(
            ([, first = '', last = '']) => first <= date && date <= last,
          ) || sql.replaceAll(/BETWEEN DATE '.{10}' AND DATE '.{10}'/g, '').includes(`DATE '${date}'`)
        expect(Array.from({ length: 40 }, (_, index) => day(17_995 + index)).filter(isNamed)).toEqual(dates)
      }),
    )
  })
})
