import type { Column, ColumnType } from '../../domain/column.ts'
import type { ThriftStruct } from './thrift.ts'

/** How a column lies in Parquet (github.com/apache/parquet-format, parquet.thrift and LogicalTypes.md), as DuckDB writes it too: all are optional. */
export type Physical = {
  readonly type: number
  /** The type's length in bytes, of fixed ones. */
  readonly length?: number
  readonly converted?: number
  readonly logical?: ThriftStruct
  readonly scale?: number
  readonly precision?: number
}

const [boolean, int32, int64, double, byteArray, fixed] = [0, 1, 2, 5, 6, 7]
const text: Physical = { type: byteArray, converted: 0, logical: { 1: { struct: {} } } }
const micros: ThriftStruct = { 2: { struct: {} } }
const time = (utc: boolean): ThriftStruct => ({ 1: { bool: utc }, 2: { struct: micros } })

/** BIGNUMERIC and JSON are text, as in the spool (adapters/duckdb/types.ts). */
const physical: Readonly<Record<Exclude<ColumnType, 'RECORD'>, Physical>> = {
  STRING: text,
  JSON: text,
  GEOGRAPHY: text,
  BIGNUMERIC: text,
  BYTES: { type: byteArray },
  INT64: { type: int64 },
  FLOAT64: { type: double },
  BOOL: { type: boolean },
  NUMERIC: {
    type: fixed,
    length: 16,
    converted: 5,
    scale: 9,
    precision: 38,
    logical: { 5: { struct: { 1: { i32: 9 }, 2: { i32: 38 } } } },
  },
  DATE: { type: int32, converted: 6, logical: { 6: { struct: {} } } },
  TIME: { type: int64, converted: 8, logical: { 7: { struct: time(false) } } },
  // The converted type says a point in time: a time of no zone has none.
  DATETIME: { type: int64, logical: { 8: { struct: time(false) } } },
  TIMESTAMP: { type: int64, converted: 10, logical: { 8: { struct: time(true) } } },
}

/** Undefined for a record: it isn't copied in bulk. */
export function physicalOf({ type }: Column): Physical | undefined {
  return type === 'RECORD' ? undefined : physical[type]
}

/** SchemaElements of the root and of all columns; a repeated column is a list of three levels (LogicalTypes.md, 'Lists'). */
export function schemaOf(columns: readonly Column[]): readonly ThriftStruct[] {
  const [required, optional, repeated] = [0, 1, 2]
  return [
    { 3: { i32: required }, 4: { text: 'schema' }, 5: { i32: columns.length } },
    ...columns.flatMap(column => {
      const { type, length, converted, logical, scale, precision } = physicalOf(column) as Physical
      const leaf = (name: string): ThriftStruct => ({
        1: { i32: type },
        2: integer(length),
        3: { i32: optional },
        4: { text: name },
        6: integer(converted),
        7: integer(scale),
        8: integer(precision),
        10: logical === undefined ? undefined : { struct: logical },
      })
      if (column.mode !== 'REPEATED') return [leaf(column.name)]
      const list = 3
      return [
        {
          3: { i32: optional },
          4: { text: column.name },
          5: { i32: 1 },
          6: { i32: list },
          10: { struct: { 3: { struct: {} } } },
        },
        { 3: { i32: repeated }, 4: { text: 'list' }, 5: { i32: 1 } },
        leaf('element'),
      ]
    }),
  ]
}

function integer(value: number | undefined): { readonly i32: number } | undefined {
  return value === undefined ? undefined : { i32: value }
}
