import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { texts } from '../../../src/adapters/postgres/texts.ts'

test('texts are those that were sent, whichever came before', async () => {
  const few = [
    '',
    'a',
    'aktiv',
    'é',
    'Ã©',
    '©Ã',
    'æøå',
    '€',
    '🦊',
    '\0',
    'x'.repeat(24),
    'ø'.repeat(12),
    'x'.repeat(40),
    'ø'.repeat(20),
    'ÿ\x80\x7f',
    'Ā',
  ]
  const text = fc.oneof(fc.constantFrom(...few), fc.string({ unit: 'binary', maxLength: 45 }), fc.string({ maxLength: 2 }))
  await fc.assert(
    fc.property(fc.array(text, { minLength: 50, maxLength: 200 }), list => {
      const read = texts()
      const bytes = list.map(each => Buffer.from(each))
      const all = Buffer.concat(bytes)
      let at = 0
      const found = bytes.map(({ length }) => {
        at += length
        return read(all, at - length, length)
      })
      expect(found).toEqual(list)
    }),
  )
})

test('a text that comes again is made once, also after many that do not', () => {
  const read = texts()
  const one = (text: string) => read(Buffer.from(text), 0, Buffer.byteLength(text))
  for (let index = 0; index < 100_000; index++) expect(one(`nr ${index}`)).toBe(`nr ${index}`)
  for (let index = 0; index < 100_000; index++) expect(one('vedtak')).toBe('vedtak')
})
