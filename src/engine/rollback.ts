import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Identity, Publication, Scope, Stage, TargetTables } from '../domain/run.ts'
import { schemaHash } from '../domain/shape.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import { stageTable, tablesOf } from './plan.ts'
import { publish } from './publish.ts'
import type { RunRequest, Settings } from './settings.ts'
import { keepSnapshot } from './snapshot.ts'
import { datesSince, historyOfSlices, moves, rowsNeeded, stateAt } from './state.ts'
import { step, untilStopped } from './step.ts'
import { versionOf } from './tick.ts'
import { type PublishedVersion, publishedVersions, type Versions, versionMeant } from './versions.ts'

/** An earlier version that stands again, under a new version of its own. */
export type RolledBack = {
  readonly version: string
  readonly restores: PublishedVersion
  readonly rows: number | null
  readonly held: true
}

/**
 * Brings an earlier version back: a new publication with its content, which holds the target, so that the next run doesn't publish again what was
 * undone. `release` ends that.
 * @throws EtlError `usage` for a version that is none or stands already, `notFound` for one that can't be read any more, `conflict` when somebody
 * published meanwhile.
 */
export async function rollback(
  pipeline: NamedPipeline,
  wanted: string,
  request: RunRequest,
  ports: Ports,
  settings: Settings,
  signal: AbortSignal,
): Promise<RolledBack> {
  const tables = tablesOf(pipeline, settings)
  const versions = await step({ pipeline: pipeline.name, step: 'rollback' }, () => publishedVersions(tables, ports.warehouse))
  const restores = versionMeant(wanted, versions, pipeline.timeZone)
  if (restores === versions.all[0])
    throw new EtlError('usage', `version ${restores.version} is the one that stands.`, {
      hint: '`npm run etl -- versions NAME` lists the earlier ones',
    })
  return step({ pipeline: pipeline.name, step: `rollback to ${restores.version}` }, async () => {
    const publication = await prepared({ pipeline, tables, versions, restores, request, ports, settings, signal })
    const { identity, version, stage } = publication
    const ended = await publish({ pipeline, tables, identity }, [publication], ports, settings, {
      signal,
      next: counter(),
      onSubmit: job => ports.warehouse.note({ ...noteFor(publication), event: 'publishing', job }),
      onWait: () => undefined,
    })
    await ports.warehouse.drop(stage.table)
    // Its own job may have ended badly behind the commit, and the next try have found that.
    if (ended.outcome === 'lost' && ended.head.run !== identity.run)
      throw new EtlError(
        'conflict',
        `${ended.head.run} published version ${ended.head.version} meanwhile: nothing was brought back.`,
        {
          hint: 'look at it, and roll back again',
        },
      )
    // Made by the next run, if not now: it is brought back, whatever comes of the snapshot.
    await keepSnapshot(pipeline, tables, version, ports).catch(() => undefined)
    return { version, restores, rows: pipeline.write.mode === 'append' ? null : stage.rows, held: true }
  })
}

type Given = {
  readonly pipeline: NamedPipeline
  readonly tables: TargetTables
  readonly versions: Versions
  readonly restores: PublishedVersion
  readonly request: RunRequest
  readonly ports: Ports
  readonly settings: Settings
  readonly signal: AbortSignal
}

/** The publication that brings the version back, its rows staged. */
async function prepared({ pipeline, tables, versions, restores, request, ports, settings, signal }: Given): Promise<Publication> {
  const run = `rollback-${request.user}-${request.attempt}`
  const isAppend = pipeline.write.mode === 'append'
  // append makes its history with the first rows that have to lie somewhere.
  const { head, now, missing, evolve } = await untilStopped(
    () => ports.warehouse.describe(pipeline, tables, run, { needsHistory: isAppend }),
    signal,
  )
  // What is to be undone was listed before: the fence only sees what comes from here on.
  if (head?.version !== versions.all[0]?.version)
    throw new EtlError('conflict', `${head?.run} published version ${head?.version} meanwhile: nothing was brought back.`, {
      hint: 'look at it, and roll back again',
    })
  const made = [...missing, ...evolve]
  if (made.length > 0) await ports.warehouse.bootstrap(made, request.attempt)
  const scope: Scope = pipeline.write.mode === 'partition' ? datesSince(versions, restores.version) : null
  const identity: Identity = {
    run,
    attempt: request.attempt,
    trigger: 'local',
    slot: restores.slot ?? restores.version,
  }
  // append moves rows: those that come back must still be there.
  if (isAppend) stateAt(pipeline, tables, versions, restores.version)
  const sql = isAppend
    ? undefined
    : scope === null
      ? stateAt(pipeline, tables, versions, restores.version)
      : historyOfSlices(pipeline, tables, versions, restores.version, scope)
  await checkRows(pipeline, tables, versions, restores, ports)
  const stage = sql === undefined ? nothing(tables, request) : await staged(pipeline, tables, sql, restores, request, ports)
  return {
    pipeline: pipeline.name,
    tables,
    columns: pipeline.to.row.columns,
    key: pipeline.to.row.key,
    write: pipeline.write,
    identity,
    version: versionOf('manual', identity.slot, now, head?.version ?? '1970-01-01T00:00:00Z'),
    baseSeq: head?.seq ?? 0n,
    scope,
    cursor: { from: head?.cursor ?? null, to: restores.cursor },
    stage,
    schemaHash: schemaHash(pipeline),
    codeSha: settings.codeSha,
    unchanged: false,
    baseline: pipeline.write.mode === 'merge',
    restores: { version: restores.version, ...(isAppend ? moves(versions.all, restores.version) : { leave: [], comeBack: [] }) },
  }
}

/** The history is what the ledger says it is, or nothing is brought back: what lacks rows would stand as the newest version. */
async function checkRows(
  pipeline: NamedPipeline,
  tables: TargetTables,
  versions: Versions,
  restores: PublishedVersion,
  { warehouse }: Pick<Ports, 'warehouse'>,
): Promise<void> {
  const needed = rowsNeeded(pipeline, versions, restores.version)
  if (needed.length === 0) return
  const list = needed.map(({ version }) => literal.timestamp(version)).join(', ')
  const { rows } = await warehouse.ask(
    `SELECT version, COUNT(*) AS n FROM ${literal.table(tables.history)} WHERE version IN (${list}) GROUP BY version`,
  )
  const found = new Map(rows.map(row => [String(row.version), Number(row.n)]))
  const lacking = needed.find(({ version, rows: wanted, isCopy }) => {
    const n = found.get(version) ?? 0
    return wanted !== null && (isCopy ? wanted > 0 && n === 0 : n !== wanted)
  })
  if (lacking === undefined) return
  throw new EtlError(
    'notFound',
    `version ${restores.version} can't be brought back whole: the history has ${found.get(lacking.version) ?? 0} rows of version ${lacking.version}, and ${lacking.rows} were written.`,
    { hint: 'they have expired, were deleted, or the pipeline kept no history then; nothing was changed' },
  )
}

async function staged(
  pipeline: NamedPipeline,
  tables: TargetTables,
  sql: string,
  restores: PublishedVersion,
  { attempt }: RunRequest,
  { warehouse }: Ports,
): Promise<Stage> {
  const stage = await warehouse.stage(tables, pipeline.to.row.columns, { kind: 'query', sql }, attempt)
  const isWhole = pipeline.write.mode !== 'replace' || restores.rows === null || restores.rows === stage.rows
  if (isWhole) return stage
  throw new EtlError(
    'notFound',
    `version ${restores.version} had ${restores.rows} rows, and ${stage.rows} of them are left: it can't be brought back whole.`,
    { hint: `see ${tableName(stage.table)}; nothing was changed` },
  )
}

/** append moves rows, and stages none. */
function nothing(tables: TargetTables, { attempt }: RunRequest): Stage {
  return { table: stageTable(tables, attempt), rows: 0, contentHash: null }
}

function noteFor(publication: Publication) {
  const { pipeline, tables, identity, version, write, baseSeq, scope, codeSha } = publication
  const { run, attempt, slot, trigger } = identity
  return {
    pipeline,
    tables,
    run,
    attempt,
    version,
    slot,
    trigger,
    mode: write.mode,
    baseSeq,
    scope,
    codeSha,
    schemaHash: publication.schemaHash,
  }
}

function counter(): () => number {
  let number = 0
  return () => ++number
}
