import { EtlError } from '../domain/error.ts'
import type { Answer, TargetTables } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'

/** Asks about a target. A table that is missing has not been made by a run yet. Throws EtlError. */
export async function asked(warehouse: Pick<Warehouse, 'ask'>, tables: TargetTables, sql: string): Promise<Answer> {
  try {
    return await warehouse.ask(sql)
  } catch (error) {
    if (!(error instanceof EtlError) || error.kind !== 'notFound') throw error
    throw new EtlError('notFound', `${tableName(tables.target)} is not there: nothing has been published yet.`, {
      hint: 'the first run makes it: `npm run etl -- run NAME`',
      cause: error,
    })
  }
}
