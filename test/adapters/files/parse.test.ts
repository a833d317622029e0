import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCsv } from '../../../src/adapters/files/parse.ts'

async function parsed(pieces: readonly string[]): Promise<string[][]> {
  const rows: string[][] = []
  for await (const record of parseCsv(pieces)) rows.push(record.cells.map(cell => cell.text))
  return rows
}

test('any table of texts comes back, with any line end, wherever the text is cut', async () => {
  const field = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', '🦊'), maxLength: 6 }),
  )
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain(width => fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }))
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 7 }),
      async (rows, end, lastEnd, size) => {
        const quoted = (text: string) => (/[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text)
        const text = rows.map(cells => cells.map(quoted).join(',')).join(end) + (lastEnd ? end : '')
        const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
          text.slice(index * size, (index + 1) * size),
        )
        expect(await parsed(pieces)).toEqual(rows)
      },
    ),
  )
})

test('a byte order mark and empty lines say nothing', async () => {
  expect(await parsed(['\ufeffa,b\n\n1,2\n', '\n'])).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ])
})

test('the line of a record is where it begins', async () => {
  const lines: number[] = []
  for await (const record of parseCsv(['a\n"x\ny\nz"\n', '\nb\n'])) lines.push(record.line)
  expect(lines).toEqual([1, 2, 6])
})
