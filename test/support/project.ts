import { fileURLToPath } from 'node:url'
import type { World } from '../../src/cli/command.ts'
import { loadPipeline } from '../../src/cli/pipelines.ts'
import { readConfig } from '../../src/config.ts'
import type { RunEvent } from '../../src/domain/event.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { type Outcome, run } from '../../src/engine/run.ts'
import { wire } from '../../src/wire.ts'

/** This repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** The pipeline of a file under src/pipelines. */
export const flagship = (): Promise<NamedPipeline> => loadPipeline(root, 'apps-per-env')

/** Variables that say where the Postgres databases of a test file are. */
export const databases: Record<string, string> = {}

/**
 * What production would be given, against a local server; waits are a hundredth. Every call is a process of its own: another attempt. `location`: where
 * the server says that its tables lie, if not where ours are.
 */
export async function worldOn(url: string, pod?: string, location?: string): Promise<World & { readonly events: RunEvent[] }> {
  const env = {
    BIGQUERY_EMULATOR_HOST: url,
    GOOGLE_CLOUD_PROJECT: 'team-dev',
    ETL_WAIT_FACTOR: '0.01',
    ...databases,
    ...(location === undefined ? {} : { ETL_LOCATION: location }),
    ...(pod === undefined ? {} : { NAIS_POD_NAME: pod, NAIS_APP_NAME: 'apps' }),
  }
  const world = await wire(readConfig({}, { env, stdout: process.stdout, cwd: root }), { report: 'quiet' })
  const events: RunEvent[] = []
  return { ...world, ports: { ...world.ports, report: { event: event => void events.push(event) } }, events }
}

/** One attempt of a run, as the pod of that name. */
export async function attempt(
  url: string,
  pipeline: NamedPipeline,
  pod?: string,
  signal: AbortSignal = new AbortController().signal,
  location?: string,
): Promise<Outcome & { readonly events: RunEvent[] }> {
  const { ports, settings, request, events } = await worldOn(url, pod, location)
  return { ...(await run(pipeline, request, ports, settings, signal)), events }
}

/** Rows of a query, as the warehouse port gives them. */
export async function ask(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { ports } = await worldOn(url)
  return (await ports.warehouse.ask(sql)).rows
}
