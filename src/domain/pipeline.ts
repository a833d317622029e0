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
import type * as z from 'zod'
import { notAudited } from './audit.ts'
import { checkColumns } from './check-columns.ts'
import { EtlError } from './error.ts'
import { type Budget, budgetOf, type Expect } from './expect.ts'
import { type Audits, checkAudits } from './own-audits.ts'
import type { CompileError, DateColumn, Row, RowSchema, Shape } from './row.ts'
import type { Source, Sources } from './source.ts'
import type { Sql } from './sql.ts'
import type { Target } from './target.ts'
import type { Merge, Partition, WriteMode } from './write.ts'

/** Sources by name, each as the rows of one slice. */
type RowsOf<F extends Sources> = { readonly [N in keyof F]: readonly Row<F[N]['row']>[] }
type OneOf<F extends Sources> = { readonly [N in keyof F]: Row<F[N]['row']> }

/** A transform that gets one row at a time: any size passes. Written as `{ each: ({ app }) => […] }`, its parameter needs no type. */
export type Each<In = never, Out = unknown> = { readonly each: (row: In) => readonly Out[] }

/** A named function as such a transform: `each(statusOf)`. The compiler can't infer the parameter of a function written inside the parentheses: use `{ each: … }` for that. */
export function each<In, Out>(transform: (row: In) => readonly Out[]): Each<In, Out> {
  return { each: transform }
}

type Transform<F extends Sources, S extends Shape> =
  | ((rows: RowsOf<F>) => readonly Row<RowSchema<S>>[])
  | Each<OneOf<F>, Row<RowSchema<S>>>
  | SqlFor<F, S>

/** A sql transform; where it can't be one, the sentence is part of the type, so that the compiler shows it. */
type SqlFor<F extends Sources, S extends Shape> = Sql<keyof F & string> &
  (Blind<S[keyof S]> extends never
    ? unknown
    : CompileError<'a sql transform is checked in BigQuery only, and z.email() and z.url() have no equal there: use z.string().regex(…)'>)

/** Fields, however deep, that only JavaScript can check. */
type Blind<Field> = Field extends z.ZodEmail | z.ZodURL
  ? Field
  : Field extends z.ZodNullable<infer Inner> | z.ZodOptional<infer Inner> | z.ZodArray<infer Inner>
    ? Blind<Inner>
    : Field extends z.ZodObject<infer Inner>
      ? Blind<Inner[keyof Inner]>
      : never

/** Does every source row fit the target as it is? */
type Fits<F extends Sources, S extends Shape> = keyof F extends infer N extends keyof F
  ? Row<F[N]['row']> extends Row<RowSchema<S>>
    ? true
    : false
  : false

type TransformPart<F extends Sources, S extends Shape> =
  Fits<F, S> extends true
    ? { readonly transform?: Transform<F, S> }
    : {
        readonly transform:
          | Transform<F, S>
          | CompileError<'transform may be left out only where the source row has every column of the target row'>
      }

type LacksColumn<F extends Sources, C extends string> = {
  [N in keyof F]: C extends keyof F[N]['row']['shape'] ? never : N
}[keyof F]

type CheckWrite<F extends Sources, S extends Shape, K, W> =
  W extends Partition<infer C>
    ? C extends keyof S
      ? S[C] extends DateColumn
        ? LacksColumn<F, C> extends never
          ? W
          : CompileError<'the partition column must be a column of every source too: it says which slice a row belongs to'>
        : CompileError<'the partition column must be a date: z.iso.date()'>
      : CompileError<'the partition column must be a column of the target row'>
    : W extends Merge<infer C>
      ? [K] extends [never]
        ? CompileError<'merge needs a key in the target row: row({ … }, { key: [ … ] }) says which rows are the same'>
        : [C] extends [never]
          ? W
          : C extends keyof S
            ? S[C] extends z.ZodBoolean
              ? W
              : CompileError<'deletes: { when } names a column that is z.boolean()'>
            : CompileError<'deletes: { when } names a column of the target row'>
      : W

/** One result of a pipeline as its author writes it: which table, how it is written, the transform that makes its rows. */
type OutputDefinition<F extends Sources, S extends Shape, K extends string, W extends WriteMode> = {
  readonly to: Target<S, K>
  readonly write: W & CheckWrite<F, S, K, W>
  /** The same transform in SQL: tests prove both equal on every fixture. */
  readonly twin?: Sql<keyof F & string>
  /** A result without rows where the last version had some is refused, unless 'allowed'. */
  readonly empty?: 'refused' | 'allowed'
  /** Your own promises by name: each a query of rows that should not be, over `${'result'}` and `${'current'}`. */
  readonly audits?: Audits
  /** How far the result may be from the last version. */
  readonly expect?: Expect
} & TransformPart<F, S>

/** A pipeline as its author writes it. */
export type Definition<F extends Sources, S extends Shape, K extends string, W extends WriteMode> = {
  /** Five cron fields, read in `timeZone`. */
  readonly schedule: string
  /** 'Europe/Oslo' if left out. */
  readonly timeZone?: string
  readonly from: F
} & OutputDefinition<F, S, K, W>

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
export type NamedPipeline = Pipeline & { readonly name: string }

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
  return extensible({ schedule, timeZone, from, ...outputOf(from, definition as AnyOutput), also: [] })
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

/** Checks what the compiler could not see of one result. */
function outputOf(from: Sources, definition: AnyOutput): Output {
  const { to, write, twin, empty = 'refused', audits = {}, expect = {} } = definition
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
    const file = names.find(name => from[name]?.kind === 'file')
    if (file !== undefined)
      throw new EtlError('pipeline', `a sql transform can't read the file ${file}: it never leaves BigQuery.`, {
        hint: 'use a function',
      })
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
