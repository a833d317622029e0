import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api'
import type { Field } from './contract.ts'
import { quoted } from './duck.ts'

/**
 * The DuckDB expression that turns a column of a Parquet file (as DuckDB reads it) into the physical type of a BigQuery column, or
 * undefined where the two don't fit. BigQuery: Loading Parquet data, 'Type conversions'; no conversion loses anything but nanoseconds.
 */
export function conversion(from: DuckDBType, field: Field, ref: string, depth = 0): string | undefined {
  if (field.mode === 'REPEATED') {
    if (from.typeId !== DuckDBTypeId.LIST || !('valueType' in from)) return undefined
    const element = `e${depth}`
    const inside = conversion(from.valueType as DuckDBType, { ...field, mode: 'NULLABLE' }, element, depth + 1)
    if (inside === undefined) return undefined
    return inside === element ? `coalesce(${ref}, [])` : `coalesce(list_transform(${ref}, lambda ${element}: ${inside}), [])`
  }
  if (field.type !== 'RECORD') return scalar(from, field, ref)
  const entries = structEntries(from)
  if (!entries || unknownFields(from, field.fields ?? []).length > 0) return undefined
  const parts: string[] = []
  for (const each of field.fields ?? []) {
    const entry = entries.find(([name]) => name.toLowerCase() === each.name.toLowerCase())
    const part = entry ? conversion(entry[1], each, `${ref}.${quoted(entry[0])}`, depth) : absent(each)
    if (part === undefined) return undefined
    parts.push(`${quoted(each.name)} := ${part}`)
  }
  return `CASE WHEN ${ref} IS NULL THEN NULL ELSE struct_pack(${parts.join(', ')}) END`
}

/** What a column holds that the file doesn't have. */
export const absent = (field: Field) => (field.mode === 'REPEATED' ? '[]' : 'NULL')

/** Names of the fields of a struct that a RECORD doesn't have. */
export function unknownFields(from: DuckDBType, fields: readonly Field[]): string[] {
  const has = (name: string) => fields.some(field => field.name.toLowerCase() === name.toLowerCase())
  return (structEntries(from) ?? []).map(([name]) => name).filter(name => !has(name))
}

/** The BigQuery column that a file's column makes where no schema is given; undefined where there is no such type. */
export function inferred(name: string, from: DuckDBType): Field | undefined {
  if (from.typeId === DuckDBTypeId.LIST && 'valueType' in from) {
    const element = inferred(name, from.valueType as DuckDBType)
    return element && element.mode !== 'REPEATED' ? { ...element, mode: 'REPEATED' } : undefined
  }
  const entries = structEntries(from)
  if (entries) {
    const fields = entries.map(([inner, type]) => inferred(inner, type))
    return fields.every(field => field !== undefined) ? { name, type: 'RECORD', mode: 'NULLABLE', fields } : undefined
  }
  const type = from.alias === 'JSON' ? 'JSON' : from.typeId === DuckDBTypeId.DECIMAL ? decimal(from) : simple[from.typeId]
  return type && { name, type, mode: 'NULLABLE' }
}

function scalar(from: DuckDBType, field: Field, ref: string): string | undefined {
  const id = from.typeId
  switch (field.type) {
    case 'INT64':
      return whole.has(id) ? `${ref}::BIGINT` : undefined
    case 'FLOAT64':
      return id === DuckDBTypeId.FLOAT || id === DuckDBTypeId.DOUBLE ? `${ref}::DOUBLE` : undefined
    case 'NUMERIC':
      return id === DuckDBTypeId.DECIMAL ? `${ref}::DECIMAL(38,9)` : undefined
    case 'BIGNUMERIC':
      if (id !== DuckDBTypeId.DECIMAL) return undefined
      return 'scale' in from && from.scale === 0 ? `${ref}::VARCHAR` : canonical(ref)
    case 'STRING':
      if (id === DuckDBTypeId.BLOB) return `decode(${ref})`
      return id === DuckDBTypeId.VARCHAR || id === DuckDBTypeId.ENUM || id === DuckDBTypeId.UUID ? `${ref}::VARCHAR` : undefined
    case 'JSON':
      if (id !== DuckDBTypeId.VARCHAR) return undefined
      return `if(NOT json_valid(${ref}), error('a value is not valid JSON'), ${ref}::VARCHAR)`
    case 'GEOGRAPHY':
      return id === DuckDBTypeId.VARCHAR ? `${ref}::VARCHAR` : undefined
    case 'BYTES':
      return id === DuckDBTypeId.BLOB ? ref : undefined
    case 'BOOL':
      return id === DuckDBTypeId.BOOLEAN ? ref : undefined
    case 'DATE':
      return id === DuckDBTypeId.DATE ? inYears(ref, ref) : undefined
    case 'TIME':
      return times.has(id) ? `if(${ref}::TIME = TIME '24:00:00', error('a time is 24:00:00'), ${ref}::TIME)` : undefined
    case 'DATETIME':
      return instants.has(id) ? inYears(`${ref}::TIMESTAMP`, ref) : undefined
    case 'TIMESTAMP':
      return instants.has(id) ? inYears(`${ref}::TIMESTAMPTZ`, ref) : undefined
    case 'RECORD':
      return undefined
  }
}

/** Without trailing zeros, and no minus before zero. */
const canonical = (ref: string) => `regexp_replace(rtrim(rtrim(${ref}::VARCHAR, '0'), '.'), '^-0$', '0')`

/** BigQuery: Data types: DATE, DATETIME and TIMESTAMP reach from year 1 to 9999. DuckDB's go further, to infinity. */
function inYears(converted: string, ref: string): string {
  return `if(isfinite(${ref}) AND year(${ref}) NOT BETWEEN 1 AND 9999 OR NOT isfinite(${ref}), error('a date lies outside the years 1 to 9999'), ${converted})`
}

function structEntries(from: DuckDBType): [string, DuckDBType][] | undefined {
  if (from.typeId !== DuckDBTypeId.STRUCT || !('entryNames' in from) || !('entryTypes' in from)) return undefined
  const types = from.entryTypes as readonly DuckDBType[]
  return (from.entryNames as readonly string[]).flatMap((name, index) => (types[index] ? [[name, types[index]]] : []))
}

/** BigQuery: Loading Parquet data, 'Decimal logical type': NUMERIC where it fits, else BIGNUMERIC. */
function decimal(from: DuckDBType): 'NUMERIC' | 'BIGNUMERIC' {
  const { width, scale } = from as DuckDBType & { width: number; scale: number }
  return scale <= 9 && width - scale <= 29 ? 'NUMERIC' : 'BIGNUMERIC'
}

const whole = new Set<DuckDBTypeId>([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
])

const times = new Set<DuckDBTypeId>([DuckDBTypeId.TIME, DuckDBTypeId.TIME_TZ, DuckDBTypeId.TIME_NS])

const instants = new Set<DuckDBTypeId>([
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
])

const simple: Partial<Record<DuckDBTypeId, Exclude<Field['type'], 'RECORD'>>> = {
  ...Object.fromEntries([...whole].map(id => [id, 'INT64'] as const)),
  [DuckDBTypeId.FLOAT]: 'FLOAT64',
  [DuckDBTypeId.DOUBLE]: 'FLOAT64',
  [DuckDBTypeId.VARCHAR]: 'STRING',
  [DuckDBTypeId.ENUM]: 'STRING',
  [DuckDBTypeId.UUID]: 'STRING',
  [DuckDBTypeId.BLOB]: 'BYTES',
  [DuckDBTypeId.BOOLEAN]: 'BOOL',
  [DuckDBTypeId.DATE]: 'DATE',
  [DuckDBTypeId.TIME]: 'TIME',
  [DuckDBTypeId.TIME_TZ]: 'TIME',
  [DuckDBTypeId.TIME_NS]: 'TIME',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'TIMESTAMP',
  [DuckDBTypeId.TIMESTAMP]: 'DATETIME',
  [DuckDBTypeId.TIMESTAMP_S]: 'DATETIME',
  [DuckDBTypeId.TIMESTAMP_MS]: 'DATETIME',
  [DuckDBTypeId.TIMESTAMP_NS]: 'DATETIME',
}
