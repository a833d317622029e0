import type { DuckDBConnection } from '@duckdb/node-api'
import { BigQueryError, type Field, type TableMeta } from './contract.ts'
import { quoted } from './duck.ts'
import { nameOf } from './names.ts'
import { physicalType } from './types.ts'

/**
 * Brings the physical table from its schema to the next one: columns and fields come and go. A changed type is refused, unless `using` says (by column)
 * how its values are made.
 */
export async function evolve(
  connection: DuckDBConnection,
  table: TableMeta,
  next: readonly Field[],
  using: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  if (table.schema.length > 0 && next.length === 0) throw new BigQueryError('invalid', 'A table needs at least one column')
  await evolveFields(connection, table, table.schema, next, [], using)
}

async function evolveFields(
  connection: DuckDBConnection,
  table: TableMeta,
  before: readonly Field[],
  after: readonly Field[],
  path: readonly string[],
  using: ReadonlyMap<string, string>,
): Promise<void> {
  const alter = (action: string) => connection.run(`ALTER TABLE ${table.physical} ${action}`)
  for (const field of after) {
    const old = before.find(each => isSame(each, field))
    if (!old) {
      const type = physicalType(field)
      await alter(`ADD COLUMN ${quoted(...path, field.name)} ${type}`)
      // A DEFAULT that is dropped again would do too, but DuckDB fails to commit that together with further changes.
      if (field.mode === 'REPEATED' && path.length === 0)
        await alter(`ALTER COLUMN ${quoted(field.name)} SET DATA TYPE ${type} USING CAST([] AS ${type})`)
    } else if (path.length === 0 && using.has(old.name)) {
      await alter(`ALTER COLUMN ${quoted(old.name)} SET DATA TYPE ${physicalType(field)} USING ${using.get(old.name)}`)
    } else if (old.type !== field.type || (old.mode === 'REPEATED') !== (field.mode === 'REPEATED')) {
      const [from, to] = [describe(old), describe(field)]
      throw new BigQueryError(
        'invalid',
        `Provided Schema does not match Table ${nameOf(table.ref)}. Field ${field.name} has changed type from ${from} to ${to}`,
      )
    } else if (field.type === 'RECORD') {
      const inside = field.mode === 'REPEATED' ? [...path, old.name, 'element'] : [...path, old.name]
      await evolveFields(connection, table, old.fields ?? [], field.fields ?? [], inside, using)
    }
  }
  for (const old of before) {
    if (!after.some(field => isSame(field, old))) await alter(`DROP COLUMN ${quoted(...path, old.name)}`)
  }
}

const isSame = (a: Field, b: Field) => a.name.toLowerCase() === b.name.toLowerCase()
const describe = (field: Field) => (field.mode === 'REPEATED' ? `ARRAY<${field.type}>` : field.type)
