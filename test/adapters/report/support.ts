import type { EtlError } from '../../../src/domain/error.ts'
import type { RunEvent } from '../../../src/domain/event.ts'
import type { Plan } from '../../../src/domain/plan.ts'

const whose = { pipeline: 'apps-per-env', run: 'run-1', attempt: '9f3c1a' }
const target = { project: 'p', dataset: 'd', table: 't' }

const plan = {
  identity: { run: 'run-1', attempt: '9f3c1a', trigger: 'scheduled', slot: '2024-02-01T05:30:00Z' },
  version: '2024-02-01T05:30:00Z',
  tables: { target, history: target, head: target, runs: target },
  head: { seq: 2n ** 62n },
  sources: [{ name: 'apps', from: 'p.source.apps', rows: 5_000_000, read: 'SELECT 1' }],
  scope: ['2024-01-31', '2024-02-01'],
  left: 0,
  why: 'one is new',
} as unknown as Plan

/** One event of each kind. */
export function everyEvent(error: EtlError): readonly RunEvent[] {
  return [
    { ...whose, kind: 'planned', plan },
    { ...whose, kind: 'created', tables: ['p.d.t', 'p.d.t__history'] },
    {
      ...whose,
      kind: 'moment',
      at: '2024-02-01T05:30:01Z',
      sources: ['apps', 'teams'],
      apart: 'not of that moment: v is a view',
    },
    { ...whose, kind: 'reading', source: 'apps', rows: 20_000 },
    { ...whose, kind: 'transformed', slice: '2024-01-31', rowsIn: 10_000, rowsOut: 4, done: 1, of: 2 },
    { ...whose, kind: 'staged', table: 'p.d_etl.stage__t__9f3c1a', rows: 8 },
    { ...whose, kind: 'audited', rows: 8, checks: 12, budget: '8 rows, expected ±20 % of the 9 of version 7', accepted: [] },
    { ...whose, kind: 'waiting', why: 'another publication', milliseconds: 1234.5 },
    {
      ...whose,
      kind: 'published',
      table: 'p.d.t',
      version: '2024-02-01T05:30:00Z',
      rows: 8,
      slices: 2,
      unchanged: false,
      milliseconds: 2345.6,
    },
    { ...whose, kind: 'nothingToDo', why: 'all slices are published' },
    { ...whose, kind: 'superseded', table: 'p.d.t', by: 'run-2', version: '2024-02-02T05:30:00Z' },
    { ...whose, kind: 'held', table: 'p.d.t', version: '2024-02-02T05:30:00Z' },
    { ...whose, kind: 'failed', error, published: false },
  ]
}
