import fc from 'fast-check'
import { bq, dataset, pipeline, replace, row, table } from 'nais-etl'
import { rowsOf } from 'nais-etl/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { AnyRow, Column, Value } from '../src/domain/column.ts'
import type { RowSchema } from '../src/domain/row.ts'
import { client } from './local/support/client.ts'
import { asValues, loadTable } from './support/as-values.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt } from './support/project.ts'

/** Any column of the closed table, nested at most three deep. */
const { field } = fc.letrec<{ scalar: z.ZodType; element: z.ZodType; field: z.ZodType }>(tie => ({
  scalar: fc.constantFrom<z.ZodType[]>(
    z.string(),
    z.string().max(5),
    z.enum(['a', "it's", 'æ']),
    z.uuid(),
    z.int(),
    z.int32(),
    bq.int64(),
    z.number(),
    z.boolean(),
    z.iso.date(),
    z.iso.time(),
    bq.timestamp(),
    bq.datetime(),
    bq.numeric(),
    bq.bignumeric(),
    bq.bytes(),
    bq.json(),
  ),
  element: fc.oneof(
    { maxDepth: 2 },
    { arbitrary: tie('scalar'), weight: 3 },
    { arbitrary: fc.dictionary(name(), tie('field'), { minKeys: 1, maxKeys: 3 }).map(shape => z.object(shape)), weight: 2 },
  ),
  field: fc.tuple(tie('element'), fc.constantFrom('required', 'nullable', 'repeated')).map(([type, mode]) => {
    if (mode === 'repeated') return z.array(type)
    return mode === 'nullable' ? type.nullable() : type
  }),
}))
const anySchema = fc
  .uniqueArray(fc.tuple(name(), field), { minLength: 1, maxLength: 6, selector: ([named]) => named })
  .map(columns => row({ number: z.int(), ...Object.fromEntries(columns) } as never) as RowSchema)

let local: Local
beforeAll(async () => {
  local = await startLocal()
  for (const name of ['source', 'published', 'published_etl']) await client(local.url, 'team-dev').createDataset(name)
})
afterAll(() => local?.stop())

test('rows of any schema come through a run as they were', async () => {
  let count = 0
  const given = anySchema.chain(schema => fc.tuple(fc.constant(schema), rowsOf(schema, { maxLength: 8 })))
  await fc.assert(
    fc.asyncProperty(given, async ([schema, generated]) => {
      count += 1
      const name = `t${count}`
      const { columns } = schema
      const rows = generated.map((each, number) => loadable(columns, { ...(each as AnyRow), number }))
      await loadTable(client(local.url, 'team-dev'), 'source', name, columns, rows)
      const copy = pipeline({
        schedule: '0 6 * * *',
        from: { source: table(schema, `source.${name}`) },
        to: dataset('published').table(name, schema),
        write: replace(),
        empty: 'allowed',
      })
      expect(await attempt(local.url, { name, ...copy }, `${name}-aaaaa`)).toMatchObject({ rows: rows.length })
      const published = await ask(
        local.url,
        `SELECT * FROM \`team-dev.published.${name}\` AS all_of_it ORDER BY all_of_it.number`,
      )
      expect(asValues(columns, published)).toEqual(asValues(columns, rows))
    }),
    // Ends before the test does, so that a failure is shown however long it takes to make it small.
    { numRuns: 24, interruptAfterTimeLimit: 20_000 },
  )
})

function name(): fc.Arbitrary<string> {
  return fc.stringMatching(/^[a-z][a-z0-9_]{0,7}$/).filter(text => !['number', 'version'].includes(text))
}

/** A load job takes JSON's null for NULL, which is another value: such a one is the text instead. */
function loadable(columns: readonly Column[], values: AnyRow): AnyRow {
  const cell = (column: Column, value: Value): Value => {
    if (Array.isArray(value)) return value.map(each => cell({ ...column, mode: 'REQUIRED' }, each))
    if (value === null) return null
    if (column.type === 'RECORD') return loadable(column.fields ?? [], value as AnyRow)
    return column.type === 'JSON' && String(value).trim() === 'null' ? '"null"' : value
  }
  return Object.fromEntries(columns.map(column => [column.name, cell(column, values[column.name] ?? null)]))
}
