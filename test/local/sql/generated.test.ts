import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Field, Value } from '../../../src/googlesql/field.ts'
import { quoted } from '../../../src/googlesql/tables.ts'
import { typeName } from '../../../src/googlesql/types.ts'
import { anyValueOf } from '../../support/values.ts'
import { type Bench, column, openBench, parameter } from './support/bench.ts'
import { canonical } from './support/lowered.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const types = ['STRING', 'BYTES', 'INT64', 'FLOAT64', 'BOOL', 'NUMERIC', 'BIGNUMERIC', 'TIMESTAMP', 'TIME', 'DATETIME'] as const
const names = ['a', 'b', 'select', 'from', 'order', 'version_', 'Æble', 'held', 'x y', '_op', 'rowid', 'outcome', 'n1']
const days = ['2024-01-30', '2024-01-31', '2024-02-01']
const day = column('day', 'DATE', 'REQUIRED')

/** Ways to write one table's name. */
const styles: readonly ((table: string) => string)[] = [
  table => quoted(`P.D.${table}`),
  table => `P.D.${quoted(table)}`,
  table => `${quoted('P')}.${quoted('D')}.${quoted(table)}`,
  table => `${quoted('P.D')}.${quoted(table)}`,
  table => `D.${quoted(table)}`,
]

const shape = fc.record({
  table: fc.constantFrom('t', 'Select', 'æøå', 'with-dash', 'two words', '1st'),
  columns: fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom(...names),
        fc.constantFrom(...types),
        fc.constantFrom('NULLABLE' as const, 'REPEATED' as const, 'REQUIRED' as const),
      ),
      {
        minLength: 1,
        maxLength: 5,
        selector: ([name]) => name,
      },
    )
    .map(list => [day, ...list.map(([name, type, mode]) => column(name, type, mode))]),
  style: fc.constantFrom(...styles),
  mode: fc.constantFrom('replace' as const, 'partition' as const),
  scope: fc.subarray(days, { minLength: 1 }),
  /** What is done to the script: the end, and whether the new rows are there afterwards. */
  change: fc.constantFrom(
    { name: 'nothing', from: '', to: '', published: true, error: '' },
    { name: 'ROLLBACK for COMMIT', from: 'COMMIT TRANSACTION', to: 'ROLLBACK TRANSACTION', published: false, error: '' },
    { name: 'no COMMIT', from: 'COMMIT TRANSACTION;', to: '', published: false, error: '' },
    { name: 'a fence that is false', from: 'WHERE NOT taken', to: 'WHERE taken', published: false, error: '' },
    { name: 'no WHERE', from: 'WHERE NOT taken', to: '', published: false, error: 'UPDATE must have a WHERE clause' },
    {
      name: 'no such table',
      from: 'IF (SELECT COUNT(*) = 1 FROM P.D.head',
      to: 'IF (SELECT COUNT(*) = 1 FROM P.D.heads',
      published: false,
      error: 'Not found: Table P:D.heads',
    },
    {
      name: 'an error after the rows',
      from: 'COMMIT TRANSACTION',
      to: "INSERT INTO P.D.head VALUES (CAST('x' AS INT64), TRUE, 0); COMMIT TRANSACTION",
      published: false,
      error: 'Bad int64 value: x',
    },
  ),
})

test('generated tables, names, modes and one-token changes: the new rows are there whole, or not at all', async () => {
  const cases = shape.chain(given => {
    const row = fc.tuple(fc.constantFrom(...days), ...given.columns.slice(1).map(anyValueOf))
    return fc.record({
      given: fc.constant(given),
      before: fc.array(row, { maxLength: 4 }),
      staged: fc.array(row, { maxLength: 4 }),
      nonce: fc.integer(),
    })
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ given, before, staged, nonce }) => {
      const { table, columns, mode, scope, change } = given
      const isInScope = (row: readonly Value[]) => mode === 'replace' || scope.includes(String(row[0]))
      const stage = staged.filter(isInScope)
      await make(table, columns, before)
      await make(`${table}_stage`, columns, stage)
      await bench.table('head', [column('n', 'INT64'), column('taken', 'BOOL'), column('nonce', 'INT64')], [[1n, false, 0n]])
      const script = scriptOf(given, columns)
      const changed = script.replace(change.from, change.to)
      const parameters = [parameter('nonce', 'INT64', String(nonce))]
      if (change.error === '') await bench.run(changed, { parameters })
      else expect(await bench.failure(changed, { parameters })).toContain(change.error)
      const expected = change.published ? [...before.filter(row => !isInScope(row)), ...stage] : before
      const { values, schema } = await bench.run(`SELECT * FROM ${given.style(table)}`)
      expect(schema.map(field => field.name)).toEqual(columns.map(field => field.name))
      expect(canonical(values, false)).toEqual(canonical(expected, false))
      expect((await bench.run('SELECT n, nonce FROM P.D.head')).values).toEqual([
        change.published ? [2n, BigInt(nonce)] : [1n, 0n],
      ])
    }),
    { numRuns: 40 },
  )
}, 90_000)

function scriptOf(
  {
    table,
    style,
    mode,
    scope,
  }: { table: string; style: (table: string) => string; mode: 'replace' | 'partition'; scope: readonly string[] },
  columns: readonly Field[],
): string {
  const list = columns.map(field => quoted(field.name)).join(', ')
  const emptied =
    mode === 'replace'
      ? `TRUNCATE TABLE ${style(table)}`
      : `DELETE FROM ${style(table)} WHERE day IN (${scope.map(each => `DATE '${each}'`).join(', ')})`
  return `
    BEGIN TRANSACTION;
    UPDATE P.D.head SET n = n + 1, nonce = @nonce WHERE NOT taken;
    IF (SELECT COUNT(*) = 1 FROM P.D.head WHERE n = 2 AND nonce = @nonce) THEN
      ${emptied};
      INSERT INTO ${style(table)} (${list}) SELECT ${list} FROM ${style(`${table}_stage`)};
      COMMIT TRANSACTION;
    END IF;`
}

async function make(table: string, columns: readonly Field[], rows: readonly (readonly Value[])[]): Promise<void> {
  const name = quoted(`P.D.${table}`)
  const definitions = columns.map(
    field => `${quoted(field.name)} ${typeName(field)}${field.mode === 'REQUIRED' ? ' NOT NULL' : ''}`,
  )
  await bench.run(`DROP TABLE IF EXISTS ${name}; CREATE TABLE ${name} (${definitions.join(', ')}) PARTITION BY day`)
  await bench.table(table, columns, rows)
}
