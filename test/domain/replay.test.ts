import { append, merge, partition, replace } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import { type Past, replayable, replayText } from '../../src/domain/replay.ts'
import type { WriteMode } from '../../src/domain/write.ts'

const version = '2026-11-21T05:30:00Z'
const scope = ['2026-11-01', '2026-11-20']
const sliced = (days: number | null, partitionedBy: string | null = 'dato'): Past => ({ kind: 'table', partitionedBy, days })
const view: Past = { kind: 'none', why: 'is a view: it shows what its tables hold now' }
const postgres: Past = { kind: 'none', why: 'is a Postgres, which keeps no past' }
const timeTravel = 'time travel of apps ends (after 7 days, or fewer where its dataset says so)'

describe('a version can be recomputed', () => {
  const cases: [string, WriteMode, Past, string][] = [
    ['from files', replace(), { kind: 'files' }, 'yes: apps is in git'],
    [
      'from partitions that stay',
      partition('dato'),
      sliced(null),
      'yes: apps keeps its partitions; what was changed in them is not undone',
    ],
    [
      'from a column of another case',
      partition('dato'),
      sliced(null, 'Dato'),
      'yes: apps keeps its partitions; what was changed in them is not undone',
    ],
    ['from partitions that expire', partition('dato'), sliced(60), 'until 2026-12-31: apps keeps a partition for 60 days'],
    ['from a table that is partitioned otherwise', partition('dato'), sliced(null, 'lastet'), `until 2026-11-28: ${timeTravel}`],
    ['from a table that is not partitioned', partition('dato'), sliced(null, null), `until 2026-11-28: ${timeTravel}`],
    ['replaced from a table', replace(), sliced(60), `until 2026-11-28: ${timeTravel}`],
    ['added from a table', append(), sliced(null), `until 2026-11-28: ${timeTravel}`],
    ['merged from a table', merge(), sliced(null), `until 2026-11-28: ${timeTravel}`],
    ['from a view', partition('dato'), view, 'no, because apps is a view: it shows what its tables hold now'],
    ['from a Postgres', merge(), postgres, 'no, because apps is a Postgres, which keeps no past'],
    [
      'with its own last state',
      merge({ history: '30 days' }),
      { kind: 'self' },
      'until 2026-12-21: apps is the target, whose history is kept 30 days',
    ],
    [
      'with a state that is not kept',
      merge({ history: 'none' }),
      { kind: 'self' },
      'no, because apps is the target, which keeps no history',
    ],
  ]
  test.each(cases)('%s', (_, write, past, text) => {
    expect(replayText(replayable(version, write, write.mode === 'partition' ? scope : null, [{ name: 'apps', past }]))).toBe(text)
  })

  test('as long as the source that forgets first; one that keeps nothing decides', () => {
    const sources = (...pasts: Past[]) => pasts.map((past, index) => ({ name: `s${index}`, past }))
    const of = (...pasts: Past[]) => replayable(version, partition('dato'), scope, sources(...pasts))
    expect(of({ kind: 'files' }, sliced(90), sliced(40))).toMatchObject({
      answer: 'until',
      until: '2026-12-11',
      why: 's2 keeps a partition for 40 days',
    })
    expect(of(sliced(40), view, postgres)).toMatchObject({
      answer: 'no',
      until: null,
      why: expect.stringContaining('s1 is a view'),
    })
    expect(of(sliced(40), view, postgres).why).toContain('s2 is a Postgres')
    expect(of({ kind: 'files' }, sliced(null)).answer).toBe('yes')
  })

  test('where no slice is due: as if it were of its own day', () => {
    expect(replayable(version, partition('dato'), [], [{ name: 'apps', past: sliced(10) }]).until).toBe('2026-12-01')
  })
})
