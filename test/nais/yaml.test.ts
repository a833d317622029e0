import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { type Yaml, yamlDocument, yamlFile } from '../../src/nais/yaml.ts'

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab1 :#-\'"{}[]\\|>&*!%@`,?.~/æ=') }),
  fc.constantFrom(
    'no',
    'Yes',
    'null',
    '~',
    '1e3',
    '0x1',
    '2026-01-01',
    '06:30',
    '30 6 * * *',
    '{{image}}',
    '\\{{ $labels.x }}',
    '',
  ),
)
const { value } = fc.letrec<{ value: Yaml }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

test.each(['1.1', '1.2'] as const)('what is written is read again by YAML %s', version => {
  void fc.assert(
    fc.property(fc.dictionary(word, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true }), document => {
      expect(parse(yamlDocument(document, ['a comment', '']), { version })).toEqual(document)
    }),
  )
})

test('a text of several lines stays one, its indent and its empty lines too', () => {
  const document = { rules: [{ expr: 'a\n  and b\n\nor c', next: true }] }
  expect(yamlDocument(document)).toBe('rules:\n  - expr: |-\n      a\n        and b\n\n      or c\n    next: true\n')
  expect(parse(yamlDocument(document))).toEqual(document)
})

test('a file holds several documents, and keys without a value are left out', () => {
  const file = yamlFile([yamlDocument({ a: 1, b: undefined }), yamlDocument({ c: [] })])
  expect(parseAllDocuments(file).map(document => document.toJS())).toEqual([{ a: 1 }, { c: [] }])
})
