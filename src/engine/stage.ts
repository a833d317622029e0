import { EtlError } from '../domain/error.ts'
import type { Bare, RunEvent } from '../domain/event.ts'
import { guarded } from '../domain/personal.ts'
import type { Plan } from '../domain/plan.ts'
import type { Stage } from '../domain/run.ts'
import { bytesAllowed, type TableRef } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { StageFrom } from '../ports/warehouse.ts'
import { copiedSource, copyInBulk } from './bulk.ts'
import { stageKeys } from './keys.ts'
import { step, untilStopped } from './step.ts'
import { transformed } from './transform.ts'

type Say = (event: Bare<Extract<RunEvent, { kind: 'way' | 'reading' | 'transformed' }>>) => void

/**
 * Fills the attempt's stage: with rows that passed through the transform, or with a query that never left the warehouse. Each try has a stage of its
 * own name: one that is dropped and made again can show its old self (BigQuery: metadata takes a while to spread).
 */
export async function makeStage(
  plan: Plan,
  tried: number,
  ports: Ports,
  signal: AbortSignal,
  say: Say,
): Promise<{ stage: Stage; read: number | null }> {
  const { pipeline, tables, identity } = plan
  const name = tried === 1 ? identity.attempt : `${identity.attempt}_${tried}`
  const { columns, key } = pipeline.to.row
  const deletesMissing = pipeline.write.mode === 'merge' && pipeline.write.deletes === 'missing'
  const fill = (from: StageFrom, keys?: TableRef) =>
    step({ step: 'stage' }, () =>
      untilStopped(async () => {
        const stage = await ports.warehouse.stage(tables, columns, from, name, { op: deletesMissing })
        if (!deletesMissing) return stage
        const found = await ports.warehouse.stageMissing(tables, columns, key, stage, keys)
        if (keys !== undefined) await ports.warehouse.drop(keys)
        return { ...stage, rows: stage.rows + found.deleted, ...found }
      }, signal),
    )
  if (pipeline.transform.kind === 'sql') {
    const sql = ports.warehouse.queryText(pipeline, plan.scope, plan.windows)
    return {
      stage: await fill(
        { kind: 'query', sql, maxBytes: bytesAllowed(Object.values(pipeline.from)) },
        await stageKeys(plan, name, ports, signal),
      ),
      read: null,
    }
  }
  const copied = copiedSource(plan, ports)
  if (copied !== undefined) {
    const writer = await step({ step: 'stage' }, () => ports.spool.openBulk(columns))
    try {
      const read = await copyInBulk(copied, writer, plan, ports, signal, say)
      const spooled = await step({ step: 'stage' }, () => writer.finish())
      return { stage: await fill({ kind: 'files', ...spooled }, await stageKeys(plan, name, ports, signal)), read }
    } finally {
      await writer.discard()
    }
  }
  const reads: Record<string, number> = {}
  const writer = await step({ step: 'stage' }, () => ports.spool.open(guarded(pipeline).columns))
  try {
    const counted: Say = event => {
      if (event.kind === 'reading') reads[event.source] = event.rows
      say(event)
    }
    for await (const rows of transformed(pipeline, plan, ports, signal, counted))
      await step({ step: 'stage' }, () => writer.write(rows))
    if (signal.aborted) throw new EtlError('stopped', 'told to stop before it published.')
    const spooled = await step({ step: 'stage' }, () => writer.finish())
    const stage = await fill({ kind: 'files', ...spooled }, await stageKeys(plan, name, ports, signal))
    return { stage, read: Object.values(reads).reduce((sum, rows) => sum + rows, 0) }
  } finally {
    await writer.discard()
  }
}
