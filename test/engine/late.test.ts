import { expect, test } from 'vitest'
import type { LedgerEvent, LedgerRow } from '../../src/domain/run.ts'
import { readTimes } from '../../src/engine/late.ts'

const noted = (loggedAt: string, event: LedgerEvent, run: string, ...scope: string[]) =>
  ({ loggedAt, event, run, scope, version: '2026-01-01T00:00:00Z' }) as unknown as LedgerRow
const at = (minute: number) => `2026-01-05T05:${String(minute).padStart(2, '0')}:00Z`
const [first, second] = ['2026-01-01', '2026-01-02']

test('a slice was read when the first attempt of the run that published it last had claimed, not when that was published', () => {
  const ledger = [
    noted(at(1), 'claimed', 'a'),
    noted(at(2), 'claimed', 'a'),
    noted(at(3), 'published', 'a', first, second),
    noted(at(4), 'claimed', 'b'),
    noted(at(5), 'claimed', 'failed'),
    noted(at(6), 'published', 'b', second),
  ]
  expect([...readTimes(ledger)]).toEqual([
    [first, at(1)],
    [second, at(4)],
  ])
})

test('what a rollback touched has no time: it is due anyway; a run without a claim in the ledger has its version', () => {
  const ledger = [noted(at(3), 'published', 'a', first, second), noted(at(6), 'restored', 'rollback', second)]
  expect([...readTimes(ledger)]).toEqual([[first, '2026-01-01T00:00:00Z']])
})
