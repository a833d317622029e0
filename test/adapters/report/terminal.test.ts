import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createTerminalReport } from '../../../src/adapters/report/terminal.ts'
import { EtlError } from '../../../src/domain/error.ts'
import { everyEvent } from './support.ts'

const error = new EtlError('row', 'expected string, got null.', {
  where: { pipeline: 'apps-per-env', step: 'read apps', at: 'row 17 › cluster' },
  hint: 'filter it in the query',
})

function written(options: { interactive: boolean; colours: boolean; columns?: number }): string {
  const parts: string[] = []
  const report = createTerminalReport({ columns: 120, ...options, write: more => void parts.push(more) })
  for (const event of everyEvent(error)) report.event(event)
  return parts.join('')
}

describe('a terminal', () => {
  test('shows the plan, what is done, and the error with its hint', () => {
    expect(written({ interactive: false, colours: false })).toMatchInlineSnapshot(`
      "apps-per-env → p.d.t run run-1, attempt 9f3c1a
        from     p.source.apps (5 000 000 rows)
        version  2024-02-01T05:30:00Z
        slices   2 slices, 2024-01-31 to 2024-02-01: one is new
        + made d.t, d.t__history
        reading apps and teams as they were at 2024-02-01T05:30:01Z
        ! not of that moment: v is a view
        ✔ staged 8 rows
        ✔ audited 8 rows, 12 checks; 8 rows, expected ±20 % of the 9 of version 7
      ✔ Version published 2024-02-01T05:30:00Z of p.d.t: 8 rows in 2 slices, 2.3 s
      ✔ Nothing to publish: all slices are published
      ! Superseded by a newer version: p.d.t has version 2024-02-02T05:30:00Z, by run-2
      ! Target is held: p.d.t stays at version 2024-02-02T05:30:00Z until it is released
      ✘ apps-per-env › read apps › row 17 › cluster: expected string, got null.
        Hint: filter it in the query
        Nothing was published.
      "
    `)
  })

  test('rewrites one line of progress in place, never wider than it is', () => {
    const text = written({ interactive: true, colours: false, columns: 40 })
    const progress = text
      .split('\r\u001b[K')
      .slice(1)
      .map(part => part.split('\n')[0] ?? '')
    expect(progress.some(line => line.includes('reading apps'))).toBe(true)
    expect(text).toContain('\r\u001b[K  ✔ staged 8 rows\n')
    for (const line of progress.filter(line => /reading|slice|waiting/.test(line) && !line.includes('✔')))
      expect(line.length).toBeLessThan(40)
  })

  test('has colours only where they are wanted', () => {
    const plain = written({ interactive: false, colours: false })
    const coloured = written({ interactive: false, colours: true })
    expect(plain).toBe(stripVTControlCharacters(plain))
    expect(coloured).not.toBe(plain)
    expect(stripVTControlCharacters(coloured)).toBe(plain)
  })
})
