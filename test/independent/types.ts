import { dataset, pipeline, replace, row, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { AnyRow, Column, Value } from '../../src/domain/column.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { identity, named, publication, staged } from '../adapters/bigquery/world.ts'
import { asValues } from '../support/as-values.ts'
import { EveryType, everyRow } from '../support/every-type.ts'
import { storageRead } from './storage.ts'
import { publish, readyTarget, type Subject } from './subject.ts'

/*
 * Every column type alone, nullable, repeated, in records and in arrays of records, but for what the independent server can't take
 * (docs/independent-server.md): BYTES in Parquet, more than 38 digits, NOT NULL inside of a record. Our own server is asked for those by
 * test/types-through-a-run.test.ts.
 */
const decimals = ['12345678901234567890.123456789012345678', '-0.000000000000000001', '0', '-99999999999999999999.5']
const columns = EveryType.columns.flatMap(column => possible(column))
const rows: readonly AnyRow[] = everyRow.map(each => possibleRow(columns, each as unknown as AnyRow))
const Any = row({ id: z.int() }, { key: ['id'] })
const to = { ...dataset('anything').table('t', Any), row: { ...Any, columns } }
const made = pipeline({
  schedule: '0 6 * * *',
  from: { source: table(Any, 'a.b') },
  to: dataset('anything').table('t', Any),
  write: replace(),
})
const everything: NamedPipeline = { ...named(made), to }

/** Values of every type, from our rows by Parquet, load job, publish, query and Storage Read back to our rows. */
export function typesContract(on: Subject): void {
  describe('every value', () => {
    test('comes back the same after load, publish and read', async () => {
      const tables = await readyTarget(on, everything)
      const stage = await staged(on.adapter, tables, columns, rows, 'aaaaaa')
      await publish(on, publication(everything, tables, stage, { identity: identity('run', 'aaaaaa') }))
      const source = { ...table(Any, `${tables.target.dataset}.t`), row: { ...Any, columns } }
      const read: AnyRow[] = []
      for await (const page of on.adapter.reader.read(source, { columns, slices: null }, new AbortController().signal))
        read.push(...page)
      read.sort((a, b) => Number(a.id) - Number(b.id))
      expect(columns.length).toBeGreaterThan(50)
      expect(asValues(columns, read)).toEqual(asValues(columns, rows))
      const storable = withoutJson(columns)
      const stored = await storageRead(on, tables.target, storable)
      stored.sort((a, b) => Number(a.id) - Number(b.id))
      expect(storable.length).toBeGreaterThan(columns.length - 5)
      expect(asValues(storable, stored)).toEqual(asValues(storable, rows))
    })
  })
}

/** Its Storage Read API writes JSON in records and in arrays as DuckDB's own form, not as text. */
function withoutJson(from: readonly Column[], inside = false): readonly Column[] {
  return from.flatMap(column => {
    if (column.type === 'JSON' && (inside || column.mode === 'REPEATED')) return []
    return [column.fields === undefined ? column : { ...column, fields: withoutJson(column.fields, true) }]
  })
}

function possible(column: Column, inside = false): readonly Column[] {
  if (column.type === 'BYTES') return []
  const mode = inside && column.mode === 'REQUIRED' ? 'NULLABLE' : column.mode
  const fields = column.fields?.flatMap(field => possible(field, true))
  return [{ ...column, mode, ...(fields === undefined ? {} : { fields }) }]
}

function possibleRow(of: readonly Column[], from: AnyRow): AnyRow {
  const cell = (column: Column, value: Value, at: number): Value => {
    if (value === null) return null
    if (Array.isArray(value)) return value.map((each, index) => cell({ ...column, mode: 'REQUIRED' }, each, at + index))
    if (column.type === 'RECORD') return possibleRow(column.fields ?? [], value as AnyRow)
    return column.type === 'BIGNUMERIC' ? (decimals[at % decimals.length] as string) : value
  }
  return Object.fromEntries(
    of.map((column, at) => [column.name, cell(column, from[column.name] ?? null, Number(from.id ?? 0) + at)]),
  )
}
