import { BigQueryError, type Field, type FieldType } from './contract.ts'
import { array, type Json, object, optional, text } from './json.ts'

/** Reads the `fields` of a REST schema; legacy type names become the standard ones. Throws `invalid`, or `notImplemented` for what isn't kept here. */
export function fieldsFromRest(fields: Json): Field[] {
  const read = array(fields, 'schema.fields').map(fieldFromRest)
  const seen = new Set<string>()
  for (const { name } of read) {
    if (seen.has(name.toLowerCase())) throw new BigQueryError('invalid', `Duplicate field name in schema: ${name}`)
    seen.add(name.toLowerCase())
  }
  return read
}

/** The `fields` of a REST schema, with the type names that the REST API answers (INTEGER, FLOAT, BOOLEAN, RECORD). */
export function fieldsToRest(fields: readonly Field[]): object[] {
  return fields.map(field => ({
    name: field.name,
    type: answered[field.type] ?? field.type,
    mode: field.mode,
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.policyTags === undefined ? {} : { policyTags: field.policyTags }),
    ...(field.fields ? { fields: fieldsToRest(field.fields) } : {}),
  }))
}

/** A type name of the REST API, legacy or standard, as the standard one. */
export function typeFromRest(name: string): FieldType {
  const upper = name.toUpperCase()
  const type = legacy[upper] ?? standard.find(each => each === upper)
  if (!type) throw new BigQueryError('invalid', `Invalid value for type: ${name} is not a valid value`)
  return type
}

function fieldFromRest(json: Json): Field {
  const field = object(json, 'schema field')
  const name = text(field.name, 'schema field name')
  if (!/^[\p{L}_][\p{L}\p{M}\p{N}_ \-&%=+:'<>#|]{0,299}$/u.test(name)) {
    throw new BigQueryError(
      'invalid',
      `Invalid field name "${name}". Fields must contain the allowed characters, and be at most 300 characters long.`,
    )
  }
  for (const kept of notKept) {
    if (field[kept] === undefined || field[kept] === null) continue
    throw new BigQueryError(
      'notImplemented',
      `The local BigQuery doesn't keep '${kept}' of a column (${name}). Leave it out here.`,
    )
  }
  const type = typeFromRest(text(field.type, `type of ${name}`))
  const mode = (optional(field.mode, text) ?? 'NULLABLE').toUpperCase()
  if (mode !== 'NULLABLE' && mode !== 'REQUIRED' && mode !== 'REPEATED') {
    throw new BigQueryError('invalid', `Invalid mode of field ${name}: ${mode}`)
  }
  if (type === 'RECORD' && !Array.isArray(field.fields)) {
    throw new BigQueryError('invalid', `Field ${name} is type RECORD but has no schema`)
  }
  const description = optional(field.description, text)
  const policyTags = optional(field.policyTags, object)
  return {
    name,
    type,
    mode,
    ...(description === undefined ? {} : { description }),
    ...(policyTags
      ? { policyTags: { names: array(policyTags.names ?? [], 'policyTags').map(tag => text(tag, 'policy tag')) } }
      : {}),
    ...(type === 'RECORD' ? { fields: fieldsFromRest(field.fields ?? []) } : {}),
  }
}

const notKept = [
  'precision',
  'scale',
  'maxLength',
  'defaultValueExpression',
  'rangeElementType',
  'collation',
  'timestampPrecision',
]
const standard: readonly FieldType[] = [
  'STRING',
  'BYTES',
  'INT64',
  'FLOAT64',
  'BOOL',
  'NUMERIC',
  'BIGNUMERIC',
  'TIMESTAMP',
  'DATE',
  'TIME',
  'DATETIME',
  'JSON',
  'GEOGRAPHY',
  'RECORD',
]
/** BigQuery: REST, TableFieldSchema.type, and the SQL aliases that the API takes as well ('INT' is what the founding guide's job sends). */
const legacy: Readonly<Record<string, FieldType>> = {
  INTEGER: 'INT64',
  INT: 'INT64',
  SMALLINT: 'INT64',
  BIGINT: 'INT64',
  TINYINT: 'INT64',
  BYTEINT: 'INT64',
  FLOAT: 'FLOAT64',
  BOOLEAN: 'BOOL',
  STRUCT: 'RECORD',
  DECIMAL: 'NUMERIC',
  BIGDECIMAL: 'BIGNUMERIC',
}
const answered: Partial<Record<FieldType, string>> = { INT64: 'INTEGER', FLOAT64: 'FLOAT', BOOL: 'BOOLEAN' }
