import { describe, expect, test } from 'vitest'
import type { AnyRow } from './domain/column.ts'
import type { Pipeline } from './domain/pipeline.ts'
import { auditOn } from './testing/audits.ts'
import { type Case, cases, expectedRows, type SourceRows, sourceRows } from './testing/cases.ts'
import { difference } from './testing/compare.ts'
import type { Bias } from './testing/generate.ts'
import { runOn, twinOn } from './testing/run.ts'
import { twinsAgree } from './testing/twins.ts'

export { auditOn } from './testing/audits.ts'
export { type Case, caseOf, cases, expectedRows, type SourceRows, sourceRows } from './testing/cases.ts'
export { difference } from './testing/compare.ts'
export { type Bias, rowsOf } from './testing/generate.ts'
export { runOn, twinOn } from './testing/run.ts'

export type TestOptions = {
  /** Values that generated source rows should often have: `{ apps: { cluster: ['prod-gcp', 'dev-fss'] } }`. */
  readonly bias?: Readonly<Record<string, Bias>>
  /** How many generated row sets the function and its twin are compared on; 200 if left out. */
  readonly runs?: number
  /** The folder of fixtures; 'fixtures' if left out. */
  readonly fixtures?: string
}

/**
 * Registers the tests of a pipeline with vitest: every case under fixtures/NAME gives exactly its expected rows, or is refused with what error.txt
 * says; no audit of its own refuses the expected rows; a twin gives the same rows as the function, on every case and on generated rows.
 */
export function testPipeline(pipeline: Pipeline, name: string, options: TestOptions = {}): void {
  const { runs = 200 } = options
  describe(name, () => {
    const known = cases(name, options.fixtures)
    const accepted = known.filter(each => each.refused === null)
    for (const each of known) {
      if (each.refused === null) test(`${each.name} gives its expected rows`, () => givesExpected(pipeline, each, runOn))
      else test(`${each.name} is refused`, () => isRefused(pipeline, each))
    }
    if (pipeline.twin === undefined) return
    for (const each of accepted) test(`${each.name} gives its expected rows in SQL`, () => givesExpected(pipeline, each, twinOn))
    test(`function and twin give the same on ${runs} generated row sets`, () => twinsAgree(pipeline, runs, options.bias), 120_000)
  })
}

type Runs = (pipeline: Pipeline, rows: SourceRows) => Promise<AnyRow[]>

async function givesExpected(pipeline: Pipeline, each: Case, run: Runs): Promise<void> {
  const [rows, expected] = await Promise.all([sourceRows(pipeline, each), expectedRows(pipeline, each)])
  const result = await run(pipeline, rows)
  const differs = difference(pipeline.to.row, expected, result)
  if (differs !== undefined) expect.fail(`${each.folder}/expected.csv: ${differs}`)
  await auditOn(pipeline, result)
}

async function isRefused(pipeline: Pipeline, each: Case): Promise<void> {
  const outcome = await sourceRows(pipeline, each)
    .then(rows => runOn(pipeline, rows))
    .then(async rows => auditOn(pipeline, rows).then(() => rows))
    .then(
      rows => ({ rows }),
      (error: unknown) => ({ message: error instanceof Error ? error.message : String(error) }),
    )
  if ('rows' in outcome) expect.fail(`${each.folder} should be refused, and gave ${outcome.rows.length} rows`)
  for (const line of each.refused ?? []) expect(outcome.message).toContain(line)
}
