import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { literal } from '../../src/domain/literal.ts'
import { notRe2 } from '../../src/domain/re2.ts'
import { closeShared, evaluate } from '../../src/googlesql/evaluate.ts'

afterAll(closeShared)

// A pattern that the formatter would rewrite.
const written = (source: string) => new RegExp(source)

describe('a pattern that RE2 reads differently is refused', () => {
  test.each([
    [/a/i, 'the flags of'],
    [/a/m, 'the flags of'],
    [/(?=a)/, "looks around, which RE2 can't"],
    [/(?<!a)b/, "looks around, which RE2 can't"],
    [/(a)\1/, "refers back, which RE2 can't"],
    [/(?<n>a)\k<n>/, 'has a named group or a modifier'],
    [/\s/, 'has an escape that RE2 reads differently'],
    [/[\s]/, 'has an escape that RE2 reads differently'],
    [/\u0041/, 'has an escape that RE2 reads differently'],
    [/\cA/, 'has an escape that RE2 reads differently'],
    [/\0/, 'has an escape that RE2 reads differently'],
    [written('\\z'), 'has an escape that RE2 reads differently'],
    [written('\\Qa\\E'), 'has an escape that RE2 reads differently'],
    [written('\\_'), 'has an escape that RE2 reads differently'],
    [/\p{Script=Greek}/u, 'has an escape that RE2 reads differently'],
    [/a.c/, 'has a . outside of a class'],
    [written('[^]'), 'has an empty class'],
    [/[[:alpha:]]/, 'has [ inside a class'],
    [/[\b]/, 'has \\b inside a class'],
    [/^[^a]$/, 'give it the flag u'],
    [/^\W$/, 'give it the flag u'],
    [/[\D]/, 'give it the flag u'],
    [/^😀?$/, 'give it the flag u'],
    [/a{1001}/, 'repeats more than 1000 times'],
    [/a{1,2000}/, 'repeats more than 1000 times'],
  ])('%s', (pattern, why) => {
    expect(notRe2(pattern)).toContain(why)
  })
})

describe('a pattern that passes finds the same texts on Google’s evaluator', () => {
  const patterns = [
    /^[A-Z]{2}-\d+$/,
    /^[^A-Z]*$/,
    /^[^\n]{1,3}$/u,
    /^\D$/u,
    /\bprod\b/,
    /(?:a|b)+?c{0,2}/,
    /^\w+@\w+\.no$/,
    /^[\w.-]+$/,
    /[.]/,
    /\//,
    /^\p{L}+$/u,
    /^\p{Lu}$/u,
    /^😀?$/u,
    /^[æøå😀]$/u,
    /\\d/,
    /^$/,
    /\$\{\}/,
    /a{1,3}/,
    /^(-|\*|x)$/,
    /\t|\n|\r|\f|\v/,
    /[\^\]\-\\]/,
  ]

  test('over generated texts', async () => {
    const unit = fc.constantFrom(
      'a',
      'b',
      'c',
      'A',
      'Å',
      'æ',
      'ø',
      'å',
      '0',
      '9',
      '٣',
      '_',
      '-',
      '.',
      '/',
      '\\',
      'd',
      ' ',
      '\n',
      '\r',
      '\t',
      '\v',
      '\f',
      '\u2028',
      '\u00a0',
      '😀',
      '𝔘',
      '*',
      '^',
      ']',
      '$',
      '{',
      '}',
      '@',
      'x',
      'prod',
      'AB-12',
      'x@y.no',
    )
    const texts = [
      '',
      ...fc.sample(
        fc.array(unit, { maxLength: 5 }).map(parts => parts.join('')),
        400,
      ),
      ...('aÆ😀𝔘\n\r\u2028٣'.match(/./gsu) ?? []),
    ]
    for (const pattern of patterns) expect(notRe2(pattern)).toBeUndefined()
    const columns = patterns
      .map((pattern, index) => `REGEXP_CONTAINS(text, ${literal.string(pattern.source)}) AS p${index}`)
      .join(', ')
    const rows = texts.map(text => ({ text }))
    const answer = await evaluate({
      sql: `SELECT text, ${columns} FROM texts`,
      tables: { texts: { schema: [{ name: 'text', type: 'STRING', mode: 'REQUIRED' }], rows } },
    })
    expect(answer.rows).toHaveLength(texts.length)
    const differ = answer.rows.flatMap(row =>
      patterns.flatMap((pattern, index) =>
        row[`p${index}`] === pattern.test(String(row.text))
          ? []
          : [`${pattern} on ${JSON.stringify(row.text)}: RE2 ${row[`p${index}`]}`],
      ),
    )
    expect(differ).toStrictEqual([])
  })
})
