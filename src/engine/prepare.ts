import { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import type { Publication, Stage } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Note } from '../ports/warehouse.ts'
import { type Audited, audit } from './audit.ts'
import { noteOf } from './note.ts'
import { publicationOf } from './plan.ts'
import type { Say } from './say.ts'
import { makeStage } from './stage.ts'
import { step, untilStopped } from './step.ts'

/** One target of a run, ready to be published: its rows are staged and keep every promise. */
export type Prepared = { readonly plan: Plan; readonly publication: Publication }

/** Reads, transforms and stages one target's rows, or takes up what an earlier attempt of the run has staged; then audits them. */
export async function prepare(
  plan: Plan,
  tried: number,
  ports: Ports,
  signal: AbortSignal,
  say: Say,
  accept: boolean,
): Promise<Prepared> {
  return (await resumed(plan, ports, signal, say, accept)) ?? (await staged(plan, tried, ports, signal, say, accept))
}

async function staged(
  plan: Plan,
  tried: number,
  ports: Ports,
  signal: AbortSignal,
  say: Say,
  accept: boolean,
): Promise<Prepared> {
  const { stage, read } = await makeStage(plan, tried, ports, signal, event => say(event.kind, event as never))
  const note = { ...noteOf(plan), event: 'staged', stage, ...(read === null ? {} : { rowsRead: read }) }
  say('staged', { table: tableName(stage.table), rows: stage.rows })
  return ready(plan, stage, await audited(plan, stage, ports, signal, accept, note), say)
}

/** A stage that has expired meanwhile, or that somebody dropped, is made anew. */
async function resumed(plan: Plan, ports: Ports, signal: AbortSignal, say: Say, accept: boolean): Promise<Prepared | undefined> {
  const stage = plan.resume
  if (stage === null) return undefined
  try {
    const found = await audited(plan, stage, ports, signal, accept)
    say('resumed', { table: tableName(stage.table), rows: stage.rows })
    return ready(plan, stage, found, say)
  } catch (error) {
    if (error instanceof EtlError && error.kind === 'notFound') return undefined
    throw error
  }
}

/** The hash of rows that never passed through here, only the audit knows. */
function ready(plan: Plan, stage: Stage, { content, ...found }: Audited, say: Say): Prepared {
  say('audited', { rows: stage.rows, ...found })
  return { plan, publication: publicationOf(plan, { ...stage, contentHash: content }) }
}

/** What --accept lets through stands in the ledger before it is published. */
async function audited(
  plan: Plan,
  stage: Stage,
  ports: Ports,
  signal: AbortSignal,
  accept: boolean,
  note?: Note,
): Promise<Audited> {
  return step({ step: 'audit' }, () =>
    untilStopped(async () => {
      const found = await audit(plan, stage, ports, accept, note)
      const message = `--accept: ${found.accepted.join(' · ')}`
      if (found.accepted.length > 0) await ports.warehouse.note({ ...noteOf(plan), event: 'audited', stage, message })
      return found
    }, signal),
  )
}
