import * as fc from 'fast-check'
import type { AnyRow } from '../domain/column.ts'
import type { Pipeline } from '../domain/pipeline.ts'
import type { SourceRows } from './cases.ts'
import { difference, tableText } from './compare.ts'
import { type Bias, rowsOf } from './generate.ts'
import { runOn, twinOn, twinOnSets } from './run.ts'

/** Values that generated source rows should often have, by source and column. */
export type SourceBias = Readonly<Record<string, Bias>>

/**
 * Runs a pipeline's function and its twin on so many generated sets of source rows. Many sets make one request; a set that differs is then made
 * as small as it can be.
 * @throws Error with the smallest such set, and what each gave.
 */
export async function twinsAgree(pipeline: Pipeline, runs: number, bias: SourceBias = {}): Promise<void> {
  const sets = sourceSets(pipeline, bias)
  const seed = Math.floor(Math.random() * 2 ** 31)
  const samples = fc.sample(sets, { numRuns: runs, seed })
  for (let from = 0; from < samples.length; from += batch) {
    if (await agreeOn(pipeline, samples.slice(from, from + batch))) continue
    const property = fc.asyncProperty(sets, async rows => {
      const differs = difference(pipeline.to.row, await runOn(pipeline, rows), await twinOn(pipeline, rows))
      if (differs !== undefined) throw new Error(`the twin gives other rows than the function: ${differs}`)
    })
    const found = await fc.check(property, { numRuns: runs, seed })
    const [smallest] = found.counterexample ?? []
    if (smallest === undefined) {
      throw new Error(
        'function and twin differ on sets of rows together, and on none alone: the twin depends on more than its sources',
      )
    }
    const why = found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance)
    throw new Error(`${why}\n\nfor the source rows\n${rowsText(pipeline, smallest)}`, { cause: found.errorInstance })
  }
}

/** Sets of rows for every source of a pipeline. */
function sourceSets(pipeline: Pipeline, bias: SourceBias): fc.Arbitrary<SourceRows> {
  return fc.record(
    Object.fromEntries(Object.entries(pipeline.from).map(([name, { row }]) => [name, rowsOf(row, { bias: bias[name] ?? {} })])),
  )
}

function rowsText(pipeline: Pipeline, rows: SourceRows): string {
  return Object.entries(pipeline.from)
    .map(([name, { row }]) => `${name}:\n${tableText(row, (rows[name] ?? []) as AnyRow[])}`)
    .join('\n')
}

const batch = 50

async function agreeOn(pipeline: Pipeline, sets: readonly SourceRows[]): Promise<boolean> {
  try {
    const theirs = await twinOnSets(pipeline, sets)
    for (const [index, rows] of sets.entries()) {
      if (difference(pipeline.to.row, await runOn(pipeline, rows), theirs[index] ?? []) !== undefined) return false
    }
    return true
  } catch {
    return false // one set by itself says which, and why
  }
}
