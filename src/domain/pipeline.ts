/*
 * The words, one for one thing:
 * - pipeline: sources → transform → target, one file; its file name is its name
 * - source: where rows come from
 * - transform: a pure function from source rows to target rows
 * - slice: the part of the data that one call of a transform sees: one value of the partition column, or everything
 * - target: a BigQuery table with a row schema and a write mode
 * - slot: the time the data is for: the schedule's tick
 * - version: one publication; strictly increasing, never reused
 * - run: one Job; attempt: one process of a run
 * - head: the one-row table of a target that says which version is current: lock, fence and cursor
 * - ledger: the append-only table of events `runs`
 * - stage: an attempt's own table with the rows to publish; history: earlier versions
 * - plan: what a run would do, as a value
 */
import { notAudited } from './audit.ts'
import { writeOfChanges } from './check-changes.ts'
import { checkColumns } from './check-columns.ts'
import type { Definition, Each, OutputDefinition } from './definition.ts'
import { EtlError } from './error.ts'
import { type Budget, budgetOf } from './expect.ts'
import { type Audits, checkAudits } from './own-audits.ts'
import type { Shape } from './row.ts'
import { changesOf, type Source, type Sources, type TableRef } from './source.ts'
import type { Sql } from './sql.ts'
import type { Target } from './target.ts'
import type { WriteMode } from './write.ts'

/** A transform as the engine sees it; the types were checked where it was written. */
type AnyTransform =
  | {
      readonly kind: 'rows'
      readonly rows: (rows: Readonly<Record<string, readonly Record<string, unknown>[]>>) => readonly unknown[]
    }
  | { readonly kind: 'each'; readonly each: (row: Readonly<Record<string, Record<string, unknown>>>) => readonly unknown[] }
  | Sql
  | { readonly kind: 'none' }

/** One result of a pipeline as the engine sees it. */
type Output = {
  readonly to: Target
  readonly write: WriteMode
  readonly transform: AnyTransform
  readonly twin?: Sql
  readonly empty: 'refused' | 'allowed'
  readonly audits: Audits
  readonly expect: Budget
}

/** A pipeline as the engine sees it. */
export type Pipeline = Output & {
  readonly schedule: string
  readonly timeZone: string
  readonly from: Readonly<Record<string, Source>>
  /** Further results of the same sources, published together with the first, as one version: all of them or none. */
  readonly also: readonly Output[]
}

/** A pipeline and the name of its file. */
export type NamedPipeline = Pipeline & {
  readonly name: string
  /** The tables that each query source names, where somebody has looked (project '': the job's own); null where the analyser doesn't understand it. */
  readonly reads?: Readonly<Record<string, readonly TableRef[] | null>>
}

/** A pipeline that can still be given a further result. */
type Extensible<F extends Sources> = Pipeline & {
  /** A further table made of the same sources, published in the same transaction: both or none. */
  and<S extends Shape, K extends string, const W extends WriteMode>(output: OutputDefinition<F, S, K, W>): Extensible<F>
}

/**
 * Declares a pipeline; a file under src/pipelines exports it as default.
 * @throws EtlError `pipeline` for what the compiler could not see.
 */
export function pipeline<const F extends Sources, S extends Shape, K extends string, const W extends WriteMode>(
  definition: Definition<F, S, K, W>,
): Extensible<F> {
  const { schedule, timeZone = 'Europe/Oslo', from } = definition
  const names = Object.keys(from)
  if (names.length === 0) throw new EtlError('pipeline', 'from: {} names no source.')
  const odd = names.find(name => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (odd !== undefined)
    throw new EtlError('pipeline', `the source ${JSON.stringify(odd)}: a source's name has letters a to z, digits and _ only.`)
  const output = outputOf(from, definition as AnyOutput)
  return extensible({ schedule, timeZone, from: withTarget(from, output), ...output, also: [] })
}

/** The results of a pipeline, each as a pipeline of its own; the first one first. */
export function partsOf(pipeline: NamedPipeline): readonly NamedPipeline[] {
  const { also, ...first } = pipeline
  return [{ ...first, also: [] }, ...also.map(output => ({ ...first, ...output, also: [] }))]
}

type AnyOutput = OutputDefinition<Sources, Shape, string, WriteMode>

function extensible<F extends Sources>(made: Pipeline): Extensible<F> {
  return Object.freeze({
    ...made,
    and(output: unknown) {
      const own = Object.keys(made.from).find(name => made.from[name]?.kind === 'self')
      if (own !== undefined)
        throw new EtlError('pipeline', `${own}: self() is one target's, and this pipeline has two.`, {
          hint: 'make a pipeline of each',
        })
      const { to, ...rest } = outputOf(made.from, output as AnyOutput)
      const same = [made, ...made.also].some(
        other => other.to.table === to.table && JSON.stringify(other.to.dataset) === JSON.stringify(to.dataset),
      )
      if (same)
        throw new EtlError('pipeline', `the table ${to.table} stands twice.`, { hint: 'give each result a table of its own' })
      return extensible<F>({ ...made, also: [...made.also, { to, ...rest }] })
    },
  })
}

/** self() is the target that the pipeline has. */
function withTarget(from: Sources, { to, write, transform }: Output): Sources {
  const own = Object.entries(from).filter(([, { kind }]) => kind === 'self')
  const [name] = own.map(([each]) => each)
  if (name === undefined) return from
  if (write.mode !== 'merge' || transform.kind !== 'rows' || own.length > 1 || own.length === Object.keys(from).length)
    throw new EtlError(
      'pipeline',
      `${name}: self() is for one function of rows that gets other sources too, and write: merge().`,
      {
        hint: 'the function gets what has come and what the target has of the same keys, and returns the rows as they are from now on',
      },
    )
  return { ...from, [name]: { kind: 'self', row: to.row, to: { dataset: to.dataset, table: to.table } } }
}

/** Checks what the compiler could not see of one result. */
function outputOf(from: Sources, definition: AnyOutput): Output {
  const { to, twin, audits = {}, expect = {} } = definition
  const write = writeOfChanges(from, to, definition.write)
  // A run that found no change has no rows.
  const isChanging = Object.values(from).some(source => changesOf(source) !== null)
  const { empty = isChanging ? 'allowed' : 'refused' } = definition
  const transform = kindOf((definition as { transform?: unknown }).transform)
  const names = Object.keys(from)
  if (transform.kind === 'each' && names.length > 1)
    throw new EtlError('pipeline', 'each(…) takes one source.', { hint: 'use a function of rows for several' })
  if (transform.kind === 'sql') {
    const blind = notAudited(to.row.columns)
    if (blind !== undefined)
      throw new EtlError('pipeline', `${blind}.`, {
        hint: 'a sql transform is checked in BigQuery only: use another rule',
      })
    const outside = names.find(name => ['file', 'postgres'].includes(from[name]?.kind ?? ''))
    if (outside !== undefined)
      throw new EtlError(
        'pipeline',
        `a sql transform can't read ${outside}, a ${from[outside]?.kind} source: it never leaves BigQuery.`,
        {
          hint: 'use a function',
        },
      )
  }
  checkColumns(to, write)
  const own = { audits: checkAudits(audits), expect: budgetOf(expect, write) }
  return { to, write, transform, empty, ...own, ...(twin === undefined ? {} : { twin }) }
}

function kindOf(transform: unknown): AnyTransform {
  if (transform === undefined) return { kind: 'none' }
  if (typeof transform === 'function') return { kind: 'rows', rows: transform as never }
  return 'each' in (transform as object)
    ? ({ kind: 'each', ...(transform as Each) } as AnyTransform)
    : (transform as AnyTransform)
}
