import * as z from 'zod'
import { isBytes } from './bq.ts'
import type { Column, ColumnType, Pii } from './column.ts'
import { EtlError } from './error.ts'
import { checkRule, type Def, isInteger, numberFormats, ownRules, refused } from './rules.ts'

/**
 * One field of a row schema as a column, by the closed table of zod types.
 * @throws EtlError `pipeline` for a type or a check that has no column: what it is, why, what to use.
 */
export function columnOf(name: string, schema: z.core.$ZodType): Column {
  return describe(checkedName(name), schema, { mode: 'REQUIRED', meta: {} })
}

/** @throws EtlError `pipeline` where two columns differ in upper and lower case only: BigQuery doesn't tell them apart. */
export function refuseTwice(columns: readonly Column[]): void {
  const names = columns.map(column => column.name.toLowerCase())
  const twice = columns.find((_, index) => names.indexOf(names[index] ?? '') !== index)
  if (twice !== undefined)
    throw new EtlError('pipeline', `column ${twice.name} stands twice: BigQuery does not tell upper case from lower case.`)
}

/** BigQuery: Column names. */
function checkedName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,299}$/.test(name)) {
    throw new EtlError('pipeline', `column ${name}: a column's name has letters a to z, digits and _ only.`, {
      hint: 'rename it in the query or the transform',
    })
  }
  if (/^(_table_|_file_|_partition|_row_timestamp|__root__|_colidentifier|_change_)/i.test(name)) {
    throw new EtlError('pipeline', `column ${name}: BigQuery keeps names that begin like this for itself.`)
  }
  if (name === '__proto__') {
    throw new EtlError('pipeline', `column ${name}: JavaScript keeps this name for itself, no row has a field of it.`, {
      hint: 'rename it in the query or the transform',
    })
  }
  return name
}

type Inherited = { readonly mode: Column['mode']; readonly meta: Meta }
type Meta = { readonly description?: string; readonly pii?: Pii }

function describe(name: string, schema: z.core.$ZodType, inherited: Inherited): Column {
  const meta = { ...metaOf(schema), ...inherited.meta }
  const def = schema._zod.def as unknown as Def
  if (def.type === 'nullable' || def.type === 'optional') {
    if (inherited.mode === 'REPEATED')
      throw refused(name, 'a nullable array or element', 'BigQuery has none: leave out .nullable()')
    return describe(name, def.innerType, { mode: 'NULLABLE', meta })
  }
  if (def.type === 'array') {
    if (inherited.mode === 'REPEATED') throw refused(name, 'an array in an array', 'put a z.object between them')
    if (inherited.mode === 'NULLABLE')
      throw refused(name, 'a nullable array', 'BigQuery has none: leave out .nullable(); no elements is []')
    if ((def.checks ?? []).length > 0) throw refused(name, 'a check on an array', 'check it in the transform')
    return describe(name, def.element, { mode: 'REPEATED', meta })
  }
  const marks = {
    ...(meta.description === undefined ? {} : { description: meta.description }),
    ...(meta.pii === undefined ? {} : { pii: meta.pii }),
  }
  if (def.type === 'object') {
    if ((def.checks ?? []).length > 0)
      throw refused(name, 'a check on an object', 'check its fields one by one, or in the transform')
    const inherits = meta.pii === undefined ? {} : { pii: meta.pii }
    const fields = Object.entries(def.shape).map(([field, inner]) =>
      describe(checkedName(field), inner, { mode: 'REQUIRED', meta: inherits }),
    )
    if (fields.length === 0) throw refused(name, 'z.object without fields', 'name at least one, or use bq.json()')
    refuseTwice(fields)
    return { name, type: 'RECORD', mode: inherited.mode, fields, rules: [], ...marks }
  }
  const type = scalarType(name, def)
  const found = [...ownRules(def), ...(def.checks ?? []).flatMap(check => checkRule(name, check._zod.def as unknown as Def))]
  const notAuditable = found.find(rule => typeof rule === 'string')
  return {
    name,
    type,
    mode: inherited.mode,
    rules: found.filter(rule => typeof rule !== 'string'),
    ...marks,
    ...(def.type === 'bigint' ? { bigint: true as const } : {}),
    ...(notAuditable === undefined ? {} : { notAuditable }),
  }
}

const formats: Readonly<Record<string, ColumnType>> = {
  date: 'DATE',
  time: 'TIME',
  'bq.date': 'DATE',
  'bq.time': 'TIME',
  'bq.numeric': 'NUMERIC',
  'bq.bignumeric': 'BIGNUMERIC',
  'bq.timestamp': 'TIMESTAMP',
  'bq.datetime': 'DATETIME',
  'bq.json': 'JSON',
  'bq.geography': 'GEOGRAPHY',
  uuid: 'STRING',
  guid: 'STRING',
  email: 'STRING',
  url: 'STRING',
}

function scalarType(name: string, def: Def): ColumnType {
  if (def.type === 'string') {
    const type = def.format === undefined ? 'STRING' : formats[def.format]
    if (type === undefined)
      throw refused(
        name,
        `the string format ${def.format}`,
        'use z.string().regex(…), or bq.timestamp(), bq.datetime() for times',
      )
    return type
  }
  if (def.type === 'enum') {
    if (Object.values(def.entries).some(value => typeof value !== 'string'))
      throw refused(name, 'an enum of numbers', 'use z.int()')
    return 'STRING'
  }
  if (def.type === 'literal') {
    if (def.values.some(value => typeof value !== 'string'))
      throw refused(name, 'a literal that is no string', 'use z.int(), z.number() or z.boolean()')
    return 'STRING'
  }
  if (def.type === 'number') {
    if (numberFormats(def).includes('float32'))
      throw refused(name, 'z.float32()', 'use z.number(): FLOAT64 holds every one of them')
    return isInteger(def) ? 'INT64' : 'FLOAT64'
  }
  if (def.type === 'bigint' && def.format === 'int64') return 'INT64'
  if (def.type === 'boolean') return 'BOOL'
  if (def.type === 'custom' && def.fn === isBytes) return 'BYTES'
  const instead: Record<string, string> = {
    date: 'use z.iso.date() for a day, bq.timestamp() for a point in time',
    bigint: 'use bq.int64()',
    union: 'a column has one type: use z.enum for texts, bq.json() for anything',
    record: 'use bq.json(), or z.object with named fields',
    map: 'use bq.json(), or z.object with named fields',
    tuple: 'use z.object with named fields',
    pipe: 'a schema only describes: do the change in the transform',
    transform: 'a schema only describes: do the change in the transform',
    default: 'a schema only describes: use .nullable() and fill it in the transform',
    any: 'use bq.json()',
    unknown: 'use bq.json()',
  }
  throw refused(name, `z.${def.type}`, instead[def.type] ?? 'see the table of types in docs/authoring.md')
}

function metaOf(schema: z.core.$ZodType): Meta {
  const meta = z.globalRegistry.get(schema) as { description?: string; pii?: unknown } | undefined
  const pii = meta?.pii
  if (pii !== undefined && pii !== 'direct' && pii !== 'special' && pii !== 'indirect') {
    throw new EtlError('pipeline', `.meta({ pii: ${JSON.stringify(pii)} }) is not known.`, {
      hint: "use 'direct', 'special' or 'indirect'",
    })
  }
  return { ...(meta?.description === undefined ? {} : { description: meta.description }), ...(pii === undefined ? {} : { pii }) }
}
