import { createHash } from 'node:crypto'
import type { Pipeline } from './pipeline.ts'

/** Sixteen hex digits that differ where anything differs that decides how a target's tables look: columns, rules, key, write mode. */
export function schemaHash({ to, write }: Pick<Pipeline, 'to' | 'write'>): string {
  const { row, clusterBy, description } = to
  const shape = { columns: row.columns, key: row.key, clusterBy, description, write }
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 16)
}
