import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Context, World } from './command.ts'
import { type LocalServer, startLocalServer } from './local-server.ts'
import { seed } from './seed.ts'

/**
 * The world that the flags chose, for the time of `work`: the service; with `--dir` a local BigQuery on that folder; with `--local` a throwaway one
 * that holds the pipelines' fixtures. `open` gives the same world to another attempt.
 */
export async function inWorld<T>(
  context: Context,
  pipelines: readonly NamedPipeline[],
  report: 'human' | 'quiet' | undefined,
  work: (world: World, open: () => Promise<World>) => Promise<T>,
): Promise<T> {
  const on = async (endpoint?: string, prepare?: (world: World) => Promise<Readonly<Record<string, string>>>) => {
    const asked = { ...(report === undefined ? {} : { report }), ...(endpoint === undefined ? {} : { endpoint }) }
    const databases = (await prepare?.(await context.world(asked))) ?? {}
    const open = () => context.world({ ...asked, databases })
    return work(await open(), open)
  }
  const { dir, local } = context.flags
  refuseMixed(context.flags)
  if (typeof dir === 'string' && !existsSync(resolve(context.root, dir))) {
    throw new EtlError('usage', `--dir ${dir}: there is no such folder.`, {
      hint: '`npm start` makes .etl/demo, `npm run etl -- local --dir DIR` makes any',
    })
  }
  if (typeof dir === 'string') return onServer(await startLocalServer(resolve(context.root, dir)), server => on(server.url))
  if (local !== true) return on()
  const folder = await mkdtemp(join(tmpdir(), 'nais-etl-'))
  try {
    return await onServer(await startLocalServer(folder), server =>
      on(server.url, async world => {
        const databases: Record<string, string> = {}
        for (const pipeline of pipelines) {
          const seeded = await seed(server.url, pipeline, world, context.root, flag(context, 'case'))
          Object.assign(databases, seeded.databases)
        }
        return databases
      }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function refuseMixed({ dir, local, case: wanted }: Context['flags']): void {
  if (dir !== undefined && local === true)
    throw new EtlError('usage', '--dir and --local are two different places.', { hint: 'leave one out' })
  if (wanted !== undefined && local !== true)
    throw new EtlError('usage', '--case chooses fixtures, which only --local reads.', { hint: 'add --local' })
}

/** Stops the server whatever happens. */
export async function onServer<T>(server: LocalServer, work: (server: LocalServer) => Promise<T>): Promise<T> {
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

function flag(context: Context, name: string): string | undefined {
  const value = context.flags[name]
  return typeof value === 'string' ? value : undefined
}
