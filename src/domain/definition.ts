// The types of a pipeline as its author writes it, with a sentence for each mistake that the compiler can see.
import type * as z from 'zod'
import type { Changes } from './changes.ts'
import type { Expect } from './expect.ts'
import type { Audits } from './own-audits.ts'
import type { CompileError, DateColumn, Row, RowSchema, Shape } from './row.ts'
import type { SelfSource, Sources } from './source.ts'
import type { Sql } from './sql.ts'
import type { Target } from './target.ts'
import type { Merge, Partition, WriteMode } from './write.ts'

/** A pipeline as its author writes it. */
export type Definition<F extends Sources, S extends Shape, K extends string, W extends WriteMode> = {
  /** Five cron fields, read in `timeZone`. */
  readonly schedule: string
  /** 'Europe/Oslo' if left out. */
  readonly timeZone?: string
  readonly from: F
} & OutputDefinition<F, S, K, W>

/** Sources by name, each as the rows of one slice. */
type RowsOf<F extends Sources, S extends Shape> = {
  readonly [N in keyof F]: readonly Row<F[N] extends SelfSource ? RowSchema<S> : F[N]['row']>[]
}
type OneOf<F extends Sources> = { readonly [N in keyof F]: Row<F[N]['row']> }

/** A transform that gets one row at a time: any size passes. Written as `{ each: ({ app }) => […] }`, its parameter needs no type. */
export type Each<In = never, Out = unknown> = { readonly each: (row: In) => readonly Out[] }

/** A named function as such a transform: `each(statusOf)`. The compiler can't infer the parameter of a function written inside the parentheses: use `{ each: … }` for that. */
export function each<In, Out>(transform: (row: In) => readonly Out[]): Each<In, Out> {
  return { each: transform }
}

type Transform<F extends Sources, S extends Shape> =
  | ((rows: RowsOf<F, S>) => readonly Row<RowSchema<S>>[])
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
  ? F[N] extends SelfSource
    ? false
    : Row<F[N]['row']> extends Row<RowSchema<S>>
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

/** Sources that are read by their changes. */
type Changing<F extends Sources> = { [N in keyof F]: F[N] extends { readonly changes: Changes } ? N : never }[keyof F]

/** Sources that are the target itself. */
type Own<F extends Sources> = { [N in keyof F]: F[N] extends SelfSource ? N : never }[keyof F]

type CheckWrite<F extends Sources, S extends Shape, K, W> = [Own<F>] extends [never]
  ? CheckChanging<F, S, K, W>
  : W extends Merge
    ? CheckChanging<F, S, K, W>
    : CompileError<'self() needs write: merge(): the rows of the target change by their key'>

type CheckChanging<F extends Sources, S extends Shape, K, W> = [Changing<F>] extends [never]
  ? CheckMode<F, S, K, W>
  : W extends Merge
    ? CheckMode<F, S, K, W>
    : CompileError<'a source that is read by its changes needs write: merge(): some rows are read again, and find themselves by their key'>

type CheckMode<F extends Sources, S extends Shape, K, W> =
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
export type OutputDefinition<F extends Sources, S extends Shape, K extends string, W extends WriteMode> = {
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
