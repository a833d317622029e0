import type { DuckDBConnection } from '@duckdb/node-api'
import { BigQueryError, type Field, type TableMeta } from './contract.ts'
import { quoted } from './duck.ts'
import { nameOf } from './names.ts'
import { physicalType } from './types.ts'

/** Brings the physical table from its schema to the next one: columns and fields come and go. A changed type is refused. */
export async function evolve(connection: DuckDBConnection, table: TableMeta, next: readonly Field[]): Promise<void> {
  if (table.schema.length > 0 && next.length === 0) throw new BigQueryError('invalid', 'A table needs at least one column')
  await evolveFields(connection, table, table.schema, next, [])
}

async function evolveFields(
  connection: DuckDBConnection,
  table: TableMeta,
  before: readonly Field[],
  after: readonly Field[],
  path: readonly string[],
): Promise<void> {
  const alter = (action: string) => connection.run(`ALTER TABLE ${table.physical} ${action}`)
  for (const field of after) {
    const old = before.find(each => isSame(each, field))
    if (!old) {
      const empty = field.mode === 'REPEATED' && path.length === 0 ? ' DEFAULT []' : ''
      await alter(`ADD COLUMN ${quoted(...path, field.name)} ${physicalType(field)}${empty}`)
      if (empty) await alter(`ALTER COLUMN ${quoted(field.name)} DROP DEFAULT`)
    } else if (old.type !== field.type || (old.mode === 'REPEATED') !== (field.mode === 'REPEATED')) {
      const [from, to] = [describe(old), describe(field)]
      throw new BigQueryError(
        'invalid',
        `Provided Schema does not match Table ${nameOf(table.ref)}. Field ${field.name} has changed type from ${from} to ${to}`,
      )
    } else if (field.type === 'RECORD') {
      const inside = field.mode === 'REPEATED' ? [...path, old.name, 'element'] : [...path, old.name]
      await evolveFields(connection, table, old.fields ?? [], field.fields ?? [], inside)
    }
  }
  for (const old of before) {
    if (!after.some(field => isSame(field, old))) await alter(`DROP COLUMN ${quoted(...path, old.name)}`)
  }
}

const isSame = (a: Field, b: Field) => a.name.toLowerCase() === b.name.toLowerCase()
const describe = (field: Field) => (field.mode === 'REPEATED' ? `ARRAY<${field.type}>` : field.type)
