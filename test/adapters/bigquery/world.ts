import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { connect } from '../../../src/adapters/bigquery/connect.ts'
import { clock } from '../../../src/adapters/clock.ts'
import { createSpool } from '../../../src/adapters/duckdb/spool.ts'
import type { AnyRow, Column } from '../../../src/domain/column.ts'
import type { NamedPipeline, Pipeline } from '../../../src/domain/pipeline.ts'
import { production, scaled } from '../../../src/domain/policy.ts'
import type { Identity, Publication, Stage, TargetTables } from '../../../src/domain/run.ts'
import type { Local } from '../../support/local.ts'

export const project = 'test-project'

/** A server that is called, of whatever kind. */
type Called = Pick<Local, 'url' | 'call'> & { readonly storage?: string }

/** Fast waits: the rules are the same. */
const fast = { ...scaled(production, 0.01), poll: { hang: 2_000, pause: 20 } }

export function connected(local: Called, policy = fast, location = 'europe-north1') {
  return connect({ project, location, environment: 'dev', clock, policy, endpoint: local.url, storage: local.storage })
}

/** Runs SQL as nobody's pipeline: makes sources, looks at results. */
export async function sql(local: Called, query: string): Promise<(string | null)[][]> {
  const { status, body } = await local.call('POST', `/${project}/queries`, { query, useLegacySql: false, timeoutMs: 20_000 })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return ((body.rows ?? []) as { f: { v: string | null }[] }[]).map(row => row.f.map(cell => cell.v))
}

export async function makeDataset(local: Called, dataset: string): Promise<void> {
  await local.call('POST', `/${project}/datasets`, { datasetReference: { projectId: project, datasetId: dataset } })
}

let number = 0
/** Two datasets of a target that no other test uses. */
export async function freshTarget(local: Called, table = 't'): Promise<TargetTables> {
  number += 1
  const dataset = `target_${number}_${randomBytes(2).toString('hex')}`
  await makeDataset(local, dataset)
  await makeDataset(local, `${dataset}_etl`)
  return tablesIn(dataset, table)
}

export function tablesIn(dataset: string, table = 't'): TargetTables {
  return {
    target: { project, dataset, table },
    history: { project, dataset, table: `${table}__history` },
    head: { project, dataset: `${dataset}_etl`, table: `head__${table}` },
    runs: { project, dataset: `${dataset}_etl`, table: 'runs' },
  }
}

export function named(pipeline: Pipeline, name = 'a-pipeline'): NamedPipeline {
  return { ...pipeline, name }
}

export function identity(run: string, attempt: string): Identity {
  return { run, attempt, trigger: 'manual', slot: '2024-02-01T05:30:00Z' }
}

/** Spools rows and stages them, in one part or in parts of about so many bytes. */
export async function staged(
  adapter: Awaited<ReturnType<typeof connected>>,
  tables: TargetTables,
  columns: readonly Column[],
  rows: readonly AnyRow[],
  attempt: string,
  partBytes?: number,
  options: { readonly op?: boolean } = {},
): Promise<Stage> {
  const spool = createSpool({ directory: tmpdir(), ...(partBytes === undefined ? {} : { partBytes }) })
  const writer = await spool.open(columns)
  try {
    await writer.write(rows)
    return await adapter.warehouse.stage(tables, columns, { kind: 'files', ...(await writer.finish()) }, attempt, options)
  } finally {
    await writer.discard()
  }
}

export function publication(
  pipeline: NamedPipeline,
  tables: TargetTables,
  stage: Stage,
  change: Partial<Publication>,
): readonly [Publication] {
  const of = {
    pipeline: pipeline.name,
    tables,
    columns: pipeline.to.row.columns,
    key: pipeline.to.row.key,
    cursor: { from: null, to: null },
    baseline: false,
    restores: null,
    write: pipeline.write,
    identity: identity('run-1', 'aaaaaa'),
    version: '2024-02-01T05:30:00Z',
    baseSeq: 0n,
    scope: null,
    stage,
    schemaHash: 'schema',
    codeSha: 'code',
    unchanged: false,
    ...change,
  }
  return [of]
}
