import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { TableRef } from '../domain/source.ts'
import { sqlText } from '../domain/sql.ts'
import { startLocalServer } from './local-server.ts'
import { namedTables } from './seed-calls.ts'
import { onServer } from './with-local.ts'

/**
 * The pipelines, each with the tables that its queries name, by Google's analyser: for that a local BigQuery is started, if there is a query at all.
 * @throws EtlError `unavailable` where it can't be started.
 */
export async function withReads(pipelines: readonly NamedPipeline[]): Promise<NamedPipeline[]> {
  if (!pipelines.some(({ from }) => Object.values(from).some(({ kind }) => kind === 'query'))) return [...pipelines]
  const folder = await mkdtemp(join(tmpdir(), 'nais-etl-'))
  try {
    return await onServer(await startLocalServer(folder), async ({ url }) => {
      const read: NamedPipeline[] = []
      for (const pipeline of pipelines) read.push({ ...pipeline, reads: await readsOf(url, pipeline) })
      return read
    })
  } catch (error) {
    if (!(error instanceof EtlError) || error.kind !== 'unavailable') throw error
    throw new EtlError('unavailable', `which tables the queries read, nobody can tell here: ${error.problem}`, {
      hint: error.hint,
      cause: error,
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readsOf(url: string, { from }: NamedPipeline): Promise<NonNullable<NamedPipeline['reads']>> {
  const reads: Record<string, readonly TableRef[] | null> = {}
  for (const [name, source] of Object.entries(from)) {
    if (source.kind !== 'query') continue
    reads[name] = await namedTables(url, sqlText(source.query), '').catch(error => {
      // BigQuery may understand more than its open-source half: whether it is a slip, the dry run of a plan says.
      if (error instanceof EtlError && error.kind === 'query') return null
      throw error
    })
  }
  return reads
}
