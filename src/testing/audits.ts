import type { AnyRow } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import { type Audits, ownAuditsSql, ownProblem, ownRowsSql, refusing } from '../domain/own-audits.ts'
import type { Pipeline } from '../domain/pipeline.ts'
import { evaluate } from '../googlesql/evaluate.ts'

/**
 * Holds result rows against the pipeline's own audits, on Google's evaluator; `current` holds no rows, or those given.
 * @throws EtlError `audit` with the rows that an audit found; `query` for an audit that is no GoogleSQL, by its name.
 */
export async function auditOn(pipeline: Pipeline, rows: readonly AnyRow[], current: readonly AnyRow[] = []): Promise<void> {
  const { audits, to } = pipeline
  const problems: string[] = []
  for (const [name, audit] of Object.entries(audits)) {
    const ask = async (sql: string) => {
      const schema = to.row.columns
      const answer = await evaluate({ sql, tables: { result: { schema, rows }, current: { schema, rows: current } } }).catch(
        cause => {
          const said = cause instanceof Error ? cause.message : String(cause)
          throw new EtlError('query', `Google's evaluator says: ${said}.`, {
            where: { at: `audit ${JSON.stringify(name)}` },
            cause,
          })
        },
      )
      return { columns: answer.schema, rows: answer.rows as readonly AnyRow[] }
    }
    const one: Audits = { [name]: audit }
    const [found] = refusing(one, (await ask(ownAuditsSql(one, ''))).rows)
    if (found === undefined) continue
    const examples = await ask(ownRowsSql(audit, '', 3))
    problems.push(ownProblem(found, examples.columns, examples.rows))
  }
  if (problems.length > 0) throw new EtlError('audit', problems.join(' · '), { where: { step: 'audit' } })
}
