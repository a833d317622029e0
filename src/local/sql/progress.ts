import type { Field, QueryOutcome } from '../contract.ts'
import type { Changes } from './dml.ts'
import type { Results } from './results.ts'

/** What statements have left behind, to be answered by the request. */
export type Progress = {
  statements: number
  bytes: number
  statementType: string
  /** Results of earlier SELECTs, to be dropped in the end. */
  readonly obsolete: Results[]
  select?: (Results & { readonly schema: readonly Field[] }) | undefined
  changes?: Changes
  ddl?: NonNullable<QueryOutcome['ddl']>
}
