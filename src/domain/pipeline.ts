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
import { EtlError } from './error.ts'
import type { CompileError, Row, RowSchema, Shape } from './row.ts'
import type { Source, Sources } from './source.ts'
import type { Sql } from './sql.ts'
import type { Partition, Target, WriteMode } from './target.ts'

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

type DateColumn = z.ZodISODate | { readonly _zod: { readonly def: { readonly format: 'bq.date' } } }
type LacksColumn<F extends Sources, C extends string> = {
  [N in keyof F]: C extends keyof F[N]['row']['shape'] ? never : N
}[keyof F]

type CheckWrite<F extends Sources, S extends Shape, W> =
  W extends Partition<infer C>
    ? C extends keyof S
      ? S[C] extends DateColumn
        ? LacksColumn<F, C> extends never
          ? W
          : CompileError<'the partition column must be a column of every source too: it says which slice a row belongs to'>
        : CompileError<'the partition column must be a date: z.iso.date()'>
      : CompileError<'the partition column must be a column of the target row'>
    : W

/** A pipeline as its author writes it. */
export type Definition<F extends Sources, S extends Shape, W extends WriteMode> = {
  /** Five cron fields, read in `timeZone`. */
  readonly schedule: string
  /** 'Europe/Oslo' if left out. */
  readonly timeZone?: string
  readonly from: F
  readonly to: Target<S>
  readonly write: W & CheckWrite<F, S, W>
  /** The same transform in SQL: tests prove both equal on every fixture. */
  readonly twin?: Sql<keyof F & string>
  /** A result without rows where the last version had some is refused, unless 'allowed'. */
  readonly empty?: 'refused' | 'allowed'
} & TransformPart<F, S>

/** A transform as the engine sees it; the types were checked where it was written. */
type AnyTransform =
  | {
      readonly kind: 'rows'
      readonly rows: (rows: Readonly<Record<string, readonly Record<string, unknown>[]>>) => readonly unknown[]
    }
  | { readonly kind: 'each'; readonly each: (row: Readonly<Record<string, Record<string, unknown>>>) => readonly unknown[] }
  | Sql
  | { readonly kind: 'none' }

/** A pipeline as the engine sees it. */
export type Pipeline = {
  readonly schedule: string
  readonly timeZone: string
  readonly from: Readonly<Record<string, Source>>
  readonly to: Target
  readonly write: WriteMode
  readonly transform: AnyTransform
  readonly twin?: Sql
  readonly empty: 'refused' | 'allowed'
}

/** A pipeline and the name of its file. */
export type NamedPipeline = Pipeline & { readonly name: string }

/**
 * Declares a pipeline; a file under src/pipelines exports it as default.
 * @throws EtlError `pipeline` for what the compiler could not see.
 */
export function pipeline<const F extends Sources, S extends Shape, const W extends WriteMode>(
  definition: Definition<F, S, W>,
): Pipeline {
  const {
    schedule,
    timeZone = 'Europe/Oslo',
    from,
    to,
    write,
    twin,
    empty = 'refused',
  } = definition as unknown as Definition<Sources, Shape, WriteMode>
  const transform = kindOf((definition as { transform?: unknown }).transform)
  const names = Object.keys(from)
  if (names.length === 0) throw new EtlError('pipeline', 'from: {} names no source.')
  const odd = names.find(name => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (odd !== undefined)
    throw new EtlError('pipeline', `the source ${JSON.stringify(odd)}: a source's name has letters a to z, digits and _ only.`)
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
  if (write.mode === 'partition' && to.row.columns.find(column => column.name === write.column)?.mode !== 'REQUIRED') {
    throw new EtlError('pipeline', `the partition column ${write.column} must be required.`)
  }
  return Object.freeze({
    schedule,
    timeZone,
    from,
    to,
    write: write as WriteMode,
    transform,
    empty,
    ...(twin === undefined ? {} : { twin }),
  })
}

function kindOf(transform: unknown): AnyTransform {
  if (transform === undefined) return { kind: 'none' }
  if (typeof transform === 'function') return { kind: 'rows', rows: transform as never }
  return 'each' in (transform as object)
    ? ({ kind: 'each', ...(transform as Each) } as AnyTransform)
    : (transform as AnyTransform)
}
