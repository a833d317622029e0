import { auditChecks, auditProblems, auditSql } from '../domain/audit.ts'
import { EtlError } from '../domain/error.ts'
import { guarded } from '../domain/personal.ts'
import type { Plan } from '../domain/plan.ts'
import type { Stage } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import { sliceColumn } from './plan.ts'

/**
 * Asks the warehouse whether the stage that was filled keeps every promise of the row schema; the rows stay where they are.
 * @returns the number of checks.
 * @throws EtlError `audit`; nothing is published, and the stage stays until it expires.
 */
export async function audit(plan: Plan, stage: Stage, { warehouse }: Pick<Ports, 'warehouse'>): Promise<number> {
  const { columns, key } = guarded(plan.pipeline)
  const answer = await warehouse.ask(auditSql(columns, key, stage.table, sliceColumn(plan.pipeline, plan.scope)))
  const row = answer.rows[0]
  if (row === undefined) throw new EtlError('bug', 'the audit answered nothing.')
  const problems = auditProblems(row, columns, key, stage.rows)
  if (problems.length > 0) {
    throw new EtlError('audit', problems.join(' · '), {
      hint: `nothing was published. Look at the rows in ${tableName(stage.table)}, which stays two days`,
    })
  }
  const wasEmpty = plan.last === null || plan.last.rows === 0
  if (stage.rows === 0 && !wasEmpty && plan.pipeline.empty === 'refused') {
    throw new EtlError('audit', `the result is empty, and version ${plan.last?.version} had ${plan.last?.rows ?? 'some'} rows.`, {
      hint: "nothing was published. Look at the source; if an empty result is right, say empty: 'allowed' in the pipeline",
    })
  }
  return auditChecks(columns, key, sliceColumn(plan.pipeline, plan.scope))
}
