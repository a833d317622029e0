import { describe, expect, test } from 'vitest'
import type { AnyRow } from './domain/column.ts'
import { expectedFiles } from './domain/fixture.ts'
import { type Pipeline, partsOf } from './domain/pipeline.ts'
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
    for (const each of known.filter(({ refused }) => refused !== null))
      test(`${each.name} is refused`, () => isRefused(pipeline, each))
    const files = expectedFiles(pipeline)
    for (const [index, part] of partsOf({ ...pipeline, name }).entries()) {
      const file = files[index] ?? ''
      const of = index === 0 ? '' : ` of ${part.to.table}`
      const gives = (each: Case, run: Runs) => givesExpected(pipeline, part, file, each, run)
      for (const each of accepted) test(`${each.name} gives its expected rows${of}`, () => gives(each, runOn))
      if (part.twin === undefined) continue
      for (const each of accepted) test(`${each.name} gives its expected rows${of} in SQL`, () => gives(each, twinOn))
      test(
        `function and twin${of} give the same on ${runs} generated row sets`,
        () => twinsAgree(part, runs, options.bias),
        120_000,
      )
    }
  })
}

type Runs = (pipeline: Pipeline, rows: SourceRows) => Promise<AnyRow[]>

async function givesExpected(pipeline: Pipeline, part: Pipeline, file: string, each: Case, run: Runs): Promise<void> {
  const [rows, expected] = await Promise.all([sourceRows(pipeline, each), expectedRows(part, each, file)])
  const result = await run(part, rows)
  const differs = difference(part.to.row, expected, result)
  if (differs !== undefined) expect.fail(`${each.folder}/${file}: ${differs}`)
  await auditOn(part, result)
}

async function isRefused(pipeline: Pipeline, each: Case): Promise<void> {
  const outcome = await sourceRows(pipeline, each)
    .then(async rows => {
      const all = partsOf({ ...pipeline, name: '' }).map(async part => {
        const result = await runOn(part, rows)
        await auditOn(part, result)
        return result
      })
      return (await Promise.all(all)).flat()
    })
    .then(
      rows => ({ rows }),
      (error: unknown) => ({ message: error instanceof Error ? error.message : String(error) }),
    )
  if ('rows' in outcome) expect.fail(`${each.folder} should be refused, and gave ${outcome.rows.length} rows`)
  for (const line of each.refused ?? []) expect(outcome.message).toContain(line)
}
