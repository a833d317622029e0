import { EtlError } from './error.ts'
import type { Target } from './target.ts'
import type { WriteMode } from './write.ts'

/**
 * The columns that the write mode and the table name, for authors whom no compiler warned.
 * @throws EtlError `pipeline`.
 */
export function checkColumns({ row, partitionBy, table }: Target, write: WriteMode): void {
  const find = (name: string) => row.columns.find(column => column.name === name)
  if (write.mode === 'partition') {
    if (find(write.column)?.mode !== 'REQUIRED')
      throw new EtlError('pipeline', `the partition column ${write.column} must be required.`)
    if (partitionBy !== undefined && partitionBy !== write.column)
      throw new EtlError('pipeline', `${table}: partitionBy ${partitionBy} is another column than that of partition(…).`, {
        hint: 'leave out partitionBy',
      })
  }
  if (partitionBy !== undefined && (find(partitionBy)?.mode !== 'REQUIRED' || find(partitionBy)?.type !== 'DATE'))
    throw new EtlError('pipeline', `${table}: partitionBy ${partitionBy} must be a required DATE column.`)
  if (write.mode !== 'merge') return
  if (row.key.length === 0)
    throw new EtlError('pipeline', `merge into ${table} needs a key: which rows are the same?`, {
      hint: 'row({ … }, { key: [ … ] })',
    })
  if (typeof write.deletes === 'object') {
    const column = find(write.deletes.when)
    if (column?.type !== 'BOOL' || column.mode !== 'REQUIRED')
      throw new EtlError('pipeline', `deletes: { when: '${write.deletes.when}' } must name a required BOOL column of ${table}.`)
  }
}
