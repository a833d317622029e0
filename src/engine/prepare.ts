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

/** One target's work: its plan, which try of the run it is, and whether --accept was said. */
type Target = {
  readonly plan: Plan
  readonly tried: number
  readonly ports: Ports
  readonly signal: AbortSignal
  readonly say: Say
  readonly accept: boolean
}

/** Reads, transforms and stages one target's rows, or takes up what an earlier attempt of the run has staged; then audits them. */
export async function prepare(target: Target): Promise<Prepared> {
  return (await resumed(target)) ?? (await staged(target))
}

async function staged(target: Target): Promise<Prepared> {
  const { plan, tried, ports, signal, say } = target
  const { stage, read } = await makeStage(plan, tried, ports, signal, event => say(event.kind, event as never))
  const note = { ...noteOf(plan), event: 'staged', stage, ...(read === null ? {} : { rowsRead: read }) }
  say('staged', { table: tableName(stage.table), rows: stage.rows })
  return ready(target, stage, await audited(target, stage, note))
}

/** A stage that has expired meanwhile, or that somebody dropped, is made anew. */
async function resumed(target: Target): Promise<Prepared | undefined> {
  const stage = target.plan.resume
  if (stage === null) return undefined
  try {
    const found = await audited(target, stage)
    target.say('resumed', { table: tableName(stage.table), rows: stage.rows })
    return ready(target, stage, found)
  } catch (error) {
    if (error instanceof EtlError && error.kind === 'notFound') return undefined
    throw error
  }
}

/** The hash of rows that never passed through here, only the audit knows. */
function ready({ plan, say }: Target, stage: Stage, { content, days, ...found }: Audited): Prepared {
  say('audited', { rows: stage.rows, ...found })
  const known = { ...stage, contentHash: content, ...(days === undefined ? {} : { days }) }
  return { plan, publication: publicationOf(plan, known) }
}

/** What --accept lets through stands in the ledger before it is published. `staged` is noted with the audit's question. */
async function audited({ plan, ports, signal, accept }: Target, stage: Stage, staged?: Note): Promise<Audited> {
  return step({ step: 'audit' }, () =>
    untilStopped(async () => {
      const found = await audit(plan, stage, ports, accept, staged)
      const message = `--accept: ${found.accepted.join(' · ')}`
      if (found.accepted.length > 0) await ports.warehouse.note({ ...noteOf(plan), event: 'audited', stage, message })
      return found
    }, signal),
  )
}
