import { marksOf } from '../domain/changes.ts'
import { isWhole } from '../domain/content.ts'
import { tooLarge } from '../domain/cost.ts'
import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { microsOf } from '../domain/micros.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import { replayable } from '../domain/replay.ts'
import { isPublication, type LedgerRow, type Publication, type Scope, type Stage, type TargetTables } from '../domain/run.ts'
import { schemaHash } from '../domain/shape.ts'
import { type TableRef, tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import { claimed, identityOf, newVersion, runOf } from './identity.ts'
import { withMoment } from './moment.ts'
import { pastOf } from './past.ts'
import { auditText } from './promises.ts'
import { readerOf, readRequest } from './request.ts'
import { isBaselineDue, resumable } from './resume.ts'
import type { RunRequest, Settings } from './settings.ts'
import { lastPublished, ofThisHead } from './slices.ts'
import { step } from './step.ts'
import { runsPerMonth } from './tick.ts'
import { cursorAfter, windowsOf, windowTexts } from './windows.ts'
import { workOf } from './work.ts'

/**
 * What a run would do with each target of its pipeline, as values; all of them are published together, as one version. Only reads.
 * @throws EtlError.
 */
export async function makePlans(
  pipeline: NamedPipeline,
  request: RunRequest,
  ports: Pick<Ports, 'readers' | 'warehouse'>,
  settings: Settings,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Plan[]> {
  const parts = await Promise.all(partsOf(pipeline).map(part => makePlan(part, request, ports, settings, signal)))
  const [first] = parts
  if (parts.length === 1 || first === undefined) return withMoment(parts, ports.readers)
  const version = parts.map(plan => plan.version).reduce((a, b) => (microsOf(b) > microsOf(a) ? b : a))
  const same = parts.map(plan => ({ ...plan, version, resume: null }))
  const publish = ports.warehouse.publishText(same.map(plan => publicationOf(plan, emptyStage(plan.stage))))
  return withMoment(
    same.map(plan => ({ ...plan, publish })),
    ports.readers,
  )
}

/** What a run would do with one target; at which moment its sources are read, all targets together decide. */
export async function makePlan(
  pipeline: NamedPipeline,
  request: RunRequest,
  ports: Pick<Ports, 'readers' | 'warehouse'>,
  settings: Settings,
  signal: AbortSignal = new AbortController().signal,
): Promise<Plan> {
  const tables = tablesOf(pipeline, settings)
  const run = runOf(request)
  const state = await ports.warehouse.describe(pipeline, tables, run)
  const { head } = state
  const ledger = ofThisHead(state.ledger, head)
  refuseLarge(pipeline, tables, state.size)
  const mine = state.ledger.filter(row => row.run === run)
  const identity = identityOf(pipeline, request, run, state.now)
  const version = claimed(mine, head) ?? newVersion(identity, state.now, head)
  const work = await workOf(pipeline, tables, identity, request.batch, ledger, ports, signal)
  const { scope } = work
  const marks = request.full === true ? {} : marksOf(head?.cursor ?? null)
  const windows = await windowsOf(pipeline, marks, ports.readers, signal)
  const sources = await described(pipeline, scope, windows, ports, signal)
  const last = lastPublished(ledger)
  const stage = stageTable(tables, request.attempt)
  const hash = schemaHash(pipeline)
  const plan: Omit<Plan, 'publish'> = {
    pipeline,
    identity,
    version,
    tables,
    head,
    sources,
    now: state.now,
    moment: null,
    scope,
    replayable: replayable(version, pipeline.write, scope, sources),
    windows,
    marks,
    left: work.left,
    why: [work.why, ...windowTexts(windows)].join('; '),
    bootstrap: state.missing,
    evolve: state.evolve,
    changes: state.changes,
    stage,
    audit: auditText(pipeline, scope, tables, stage, ports.warehouse),
    last,
    done: doneBy(mine),
    unsettled: unsettled(mine, request.attempt),
    claimedAt: mine.find(row => row.event === 'claimed')?.loggedAt ?? null,
    // A stage of an earlier attempt says nothing of how far the sources were read for it.
    resume:
      Object.keys(windows).length > 0 ? null : resumable(mine, { codeSha: settings.codeSha, schemaHash: hash, scope, head }),
    baseline: isBaselineDue(pipeline.write, ledger, version),
    size: state.size,
    codeSha: settings.codeSha,
    schemaHash: hash,
  }
  return { ...plan, publish: ports.warehouse.publishText([publicationOf(plan, emptyStage(stage))]) }
}

/** Replacing writes all of a table in every run: that is a choice, not an accident. */
function refuseLarge(pipeline: NamedPipeline, { target }: TargetTables, size: Plan['size']): void {
  const large = tooLarge(pipeline.write, size, () => runsPerMonth(pipeline))
  if (large !== undefined) throw new EtlError('pipeline', `${tableName(target)} ${large.problem}`, { hint: large.hint })
}

/** The publication of a planned run, with what was staged. */
export function publicationOf(plan: Omit<Plan, 'publish'>, stage: Stage): Publication {
  return {
    pipeline: plan.pipeline.name,
    tables: plan.tables,
    columns: plan.pipeline.to.row.columns,
    key: plan.pipeline.to.row.key,
    write: plan.pipeline.write,
    identity: plan.identity,
    version: plan.version,
    baseSeq: plan.head?.seq ?? 0n,
    scope: plan.scope,
    cursor: { from: plan.head?.cursor ?? null, to: cursorAfter(plan) },
    stage,
    schemaHash: plan.schemaHash,
    codeSha: plan.codeSha,
    unchanged: stage.contentHash !== null && isWhole(stage.contentHash) && stage.contentHash === plan.last?.contentHash,
    baseline: plan.baseline,
    restores: null,
  }
}

/** The stage of an attempt. */
export function stageTable({ head, target }: TargetTables, attempt: string): TableRef {
  return { project: head.project, dataset: head.dataset, table: `stage__${target.table}__${attempt}` }
}

function emptyStage(table: TableRef): Stage {
  return { table, rows: 0, contentHash: null }
}

/** The tables of a pipeline's target in an environment. */
export function tablesOf(pipeline: NamedPipeline, settings: Pick<Settings, 'project' | 'environment'>): TargetTables {
  const { table } = pipeline.to
  const dataset = nameIn(pipeline.to.dataset, settings.environment)
  const inside = { project: settings.project, dataset }
  const beside = { project: settings.project, dataset: `${dataset}_etl` }
  return {
    target: { ...inside, table },
    history: { ...inside, table: `${table}__history` },
    head: { ...beside, table: `head__${table}` },
    runs: { ...beside, table: 'runs' },
  }
}

async function described(
  pipeline: NamedPipeline,
  scope: Scope,
  windows: Plan['windows'],
  { readers, warehouse }: Pick<Ports, 'readers' | 'warehouse'>,
  signal: AbortSignal,
): Promise<Plan['sources']> {
  const inWarehouse = pipeline.transform.kind === 'sql'
  return Promise.all(
    Object.entries(pipeline.from).map(async ([name, source]) => {
      const reader = readerOf(source, readers)
      const facts = await step({ step: `plan ${name}` }, () => reader.facts(source, signal))
      const request = readRequest(pipeline, source, scope, windows[name] ?? null)
      const read = inWarehouse ? warehouse.queryText(pipeline, scope, windows) : reader.text(source, request)
      const way = facts.way === undefined || inWarehouse ? {} : { way: facts.way }
      return { name, from: facts.name, rows: facts.rows, read, past: pastOf(source, facts.past), ...way }
    }),
  )
}

/** The publication of this run, if there is one: also where a later run has the head by now. */
function doneBy(mine: readonly LedgerRow[]): Plan['done'] {
  const published = mine.find(isPublication)
  return published === undefined ? null : { attempt: published.attempt, version: published.version }
}

/** Publish jobs that earlier attempts may have submitted: they go on without their pod. */
function unsettled(mine: readonly LedgerRow[], attempt: string): string[] {
  return [
    ...new Set(
      mine.filter(row => row.event === 'publishing' && row.attempt !== attempt && row.job !== null).map(row => row.job as string),
    ),
  ]
}
