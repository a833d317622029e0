import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Identity, Publication, Scope, Stage, TargetTables } from '../domain/run.ts'
import { schemaHash } from '../domain/shape.ts'
import type { Ports } from '../ports/index.ts'
import { stageTable, tablesOf } from './plan.ts'
import { publish } from './publish.ts'
import type { RunRequest, Settings } from './settings.ts'
import { keepSnapshot } from './snapshot.ts'
import { datesSince, historyOfSlices, moves, stateAt } from './state.ts'
import { step, untilStopped } from './step.ts'
import { versionOf } from './tick.ts'
import { type PublishedVersion, publishedVersions, type Versions, versionMeant } from './versions.ts'
import { checkWhole } from './whole.ts'

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
  await checkWhole(pipeline, tables, versions, restores.version, ports.warehouse)
  const stage =
    sql === undefined
      ? nothing(tables, request)
      : await ports.warehouse.stage(tables, pipeline.to.row.columns, { kind: 'query', sql }, request.attempt)
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
