import type { Broken } from '../domain/audit.ts'
import { EtlError } from '../domain/error.ts'
import { type Audits, ownAuditsSql, ownProblem, ownRowsSql, refusing } from '../domain/own-audits.ts'
import { handlesPersonal } from '../domain/personal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Answer, TargetTables } from '../domain/run.ts'
import type { TableRef } from '../domain/source.ts'
import type { Warehouse } from '../ports/warehouse.ts'
import { ownTables } from './promises.ts'

/**
 * The author's own audits that gave rows. One question for all of them; two more for each that refuses. Values are told only where no column of
 * the pipeline is personal: where those of an audit come from can't be seen.
 * @throws EtlError `query` that names the audit which BigQuery refuses.
 */
export async function brokenAudits(
  pipeline: NamedPipeline,
  tables: TargetTables,
  stage: TableRef,
  warehouse: Pick<Warehouse, 'ask' | 'auditTables'>,
): Promise<readonly Broken[]> {
  const { audits } = pipeline
  if (Object.keys(audits).length === 0) return []
  const before = ownTables(pipeline, tables, stage, warehouse)
  const { rows } = await counts(audits, before, warehouse)
  const secret = handlesPersonal(pipeline)
  return Promise.all(
    refusing(audits, rows).map(async found => {
      const rowsSql = (limit: number) => ownRowsSql(audits[found.name] as never, before, limit)
      const examples = await warehouse.ask(rowsSql(secret ? 0 : 3))
      return {
        text: ownProblem(found, examples.columns, secret ? null : examples.rows),
        rows: ({ limit }) => rowsSql(limit),
      } satisfies Broken
    }),
  )
}

/** Where one of several is refused, each is asked alone: the service doesn't say which it was. */
async function counts(audits: Audits, before: string, warehouse: Pick<Warehouse, 'ask'>): Promise<Answer> {
  try {
    return await warehouse.ask(ownAuditsSql(audits, before))
  } catch (error) {
    if (!(error instanceof EtlError) || error.kind !== 'query') throw error
    for (const [name, audit] of Object.entries(audits)) {
      await warehouse.ask(ownAuditsSql({ [name]: audit }, before)).catch(cause => {
        throw cause instanceof EtlError && cause.kind === 'query' ? cause.within({ at: `audit ${JSON.stringify(name)}` }) : cause
      })
    }
    throw error
  }
}
