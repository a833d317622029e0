import * as z from 'zod'
import { fieldsOf } from './checker.ts'
import type { Column } from './column.ts'
import { columnOf, refuseTwice } from './columns.ts'
import { EtlError } from './error.ts'

/** A sentence in a compiler error: no value has this type. */
export interface CompileError<Sentence extends string> {
  readonly __error: Sentence
}

/** The zod types that are columns (docs/authoring.md has the table). */
type Scalar =
  | z.ZodString
  | z.ZodEnum<Readonly<Record<string, string>>>
  | z.ZodLiteral<string>
  | z.ZodUUID
  | z.ZodGUID
  | z.ZodEmail
  | z.ZodURL
  | z.ZodNumber
  | z.ZodNumberFormat
  | z.ZodBigIntFormat
  | z.ZodBoolean
  | z.ZodISODate
  | z.ZodISOTime
  | z.ZodCustomStringFormat<`bq.${string}`>
  | z.ZodCustom<Uint8Array, Uint8Array>

type NoColumn =
  'this zod type is no BigQuery column: use z.string, z.enum, z.int, z.number, z.boolean, z.iso.date, z.iso.time, bq.*, z.object or z.array of them (docs/authoring.md has the table)'

/** What a field of a row may be; anything else becomes a sentence. */
export type CheckField<S> = S extends z.ZodNullable<infer Inner> | z.ZodOptional<infer Inner>
  ? Inner extends z.ZodArray
    ? CompileError<'BigQuery has no nullable array: leave out .nullable(); an array without elements is []'>
    : CheckField<Inner> extends CompileError<string>
      ? CheckField<Inner>
      : S
  : S extends z.ZodArray<infer Element>
    ? Element extends z.ZodArray
      ? CompileError<'BigQuery has no array in an array: put a z.object between them'>
      : Element extends z.ZodNullable | z.ZodOptional
        ? CompileError<'BigQuery stores no NULL in an array: leave out .nullable() on the element'>
        : CheckField<Element> extends CompileError<string>
          ? CheckField<Element>
          : S
    : S extends z.ZodObject<infer Shape>
      ? { [Name in keyof Shape]: CheckField<Shape[Name]> } extends Shape
        ? S
        : CompileError<NoColumn>
      : S extends Scalar
        ? S
        : CompileError<NoColumn>

/** A field that is a DATE column. */
export type DateColumn = z.ZodISODate | { readonly _zod: { readonly def: { readonly format: 'bq.date' } } }

export type Shape = Readonly<Record<string, z.core.$ZodType>>

type CheckKey<S, K> = K extends keyof S ? K : CompileError<'a key column must be a column of the row'>

/** The JavaScript value of a field: absent reads as null. */
type FieldValue<S> = S extends z.ZodNullable<infer Inner> | z.ZodOptional<infer Inner>
  ? FieldValue<Inner> | null
  : S extends z.ZodArray<infer Element>
    ? FieldValue<Element>[]
    : S extends z.ZodObject<infer Inner>
      ? ShapeValue<Inner>
      : S extends z.core.$ZodType
        ? z.output<S>
        : never
type ShapeValue<S> = { [Name in keyof S]: FieldValue<S[Name]> }

/** The type of one row of a schema: `Row<typeof App>`. */
export type Row<R extends RowSchema<Shape>> = { [Name in keyof R['shape']]: FieldValue<R['shape'][Name]> }

/** A row schema: the one place where the columns of a table are written. */
export type RowSchema<S extends Shape = Shape, K extends string = string> = {
  /** The zod fields, to be used again in another row: `row({ sak_id: Sak.shape.sak_id })`. */
  readonly shape: S
  readonly key: readonly K[]
  readonly columns: readonly Column[]
  /** Checks one value. Unknown columns are dropped, absent nullable ones are null. */
  readonly zod: z.ZodType<Record<string, unknown>>
}

/**
 * Describes the rows of a source or a target: zod fields, and for a target the key that is unique.
 * @throws EtlError `pipeline` for what has no BigQuery column.
 */
export function row<const S extends Shape, const K extends string = never>(
  shape: { readonly [Name in keyof S]: CheckField<S[Name]> } & S,
  options: { readonly key?: readonly CheckKey<S, K>[] } & { readonly key?: readonly K[] } = {},
): RowSchema<S, K> {
  const columns = Object.entries(shape).map(([name, schema]) => columnOf(name, schema as z.core.$ZodType))
  if (columns.length === 0) throw new EtlError('pipeline', 'row({}) has no columns.', { hint: 'name at least one' })
  refuseTwice(columns)
  const key = (options.key ?? []) as readonly K[]
  for (const name of key) {
    const column = columns.find(candidate => candidate.name === name)
    if (column === undefined) throw new EtlError('pipeline', `key column ${name} is not a column of the row.`)
    if (column.mode !== 'REQUIRED' || ['RECORD', 'JSON', 'GEOGRAPHY'].includes(column.type)) {
      throw new EtlError('pipeline', `key column ${name} must be a required scalar.`, {
        hint: 'leave out .nullable(), or choose another key',
      })
    }
  }
  return Object.freeze({ shape, key, columns, zod: z.object(fieldsOf(shape)) })
}
