import { mkdtemp, rm, symlink, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { project } from '../test/support/etl.ts'
import { startLocal } from '../test/support/local.ts'
import { root } from '../test/support/project.ts'
import { type Mode, pipelineText, type Row } from './modes.ts'

/** The cells of a row by column, as the REST API writes them; TIMESTAMPs are asked for as UNIX_MICROS. */
export type Cells = Readonly<Record<string, string | null>>

/** One local BigQuery with the sources of some modes, and a project folder with their pipelines. */
export type World = {
  readonly url: string
  readonly folder: string
  /** The program's folder: this repository, or a copy of it with a mistake in it. */
  readonly code: string
  /** Plain SQL, past every proxy. undefined: a table of it is not there (yet). Throws with the server's text. */
  sql(text: string): Promise<readonly Cells[] | undefined>
  /** Gives a mode's source its next generation and tells which that is. */
  next(mode: Mode): Promise<number>
  /** The generation of a mode's source. */
  generation(mode: Mode): number
  fault(fault: { kind: 'delayCommit' | 'holdCommit'; match?: string; times?: number; ms?: number }): Promise<void>
  /** Ends the server's faults, lets held commits go, and waits until no job runs: killed clients leave some. */
  settle(): Promise<void>
  /** SIGKILL to the server in the middle of its work, and a new one at the same address over the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts a world with the modes' sources in generation 1; `code` is where the program is that the jobs run. */
export async function startWorld(modes: readonly Mode[], code: string = root): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), 'chaos-'))
  let local = await startLocal({ dir: data })
  const { url } = local
  const files = modes.map(mode => [`src/pipelines/${mode.name}.ts`, pipelineText(mode)])
  const { dir, remove } = await project(Object.fromEntries(files))
  if (code !== root) {
    await unlink(join(dir, 'node_modules', 'nais-etl'))
    await symlink(code, join(dir, 'node_modules', 'nais-etl'))
  }
  const generations = new Map<string, number>()
  const sql = (text: string) => ask(url, text)
  const fill = async (mode: Mode, generation: number) => {
    await sql(`BEGIN TRANSACTION; TRUNCATE TABLE \`chaos.inn.${mode.name}\`; ${insert(mode, generation)}; COMMIT TRANSACTION;`)
    generations.set(mode.name, generation)
    return generation
  }
  for (const dataset of ['inn', 'ut', 'ut_etl'])
    await local.call('POST', '/chaos/datasets', { datasetReference: { projectId: 'chaos', datasetId: dataset } })
  for (const mode of modes) {
    await sql(
      `CREATE TABLE \`chaos.inn.${mode.name}\` (dato DATE NOT NULL, id INT64 NOT NULL, gen INT64 NOT NULL, verdi STRING NOT NULL)`,
    )
    await fill(mode, 1)
  }
  const generation = (mode: Mode) => generations.get(mode.name) ?? 0
  return {
    url,
    folder: dir,
    code,
    sql,
    generation,
    next: mode => fill(mode, generation(mode) + 1),
    fault: fault => local.fault(fault),
    async settle() {
      await fetch(`${url}/_local/faults`, { method: 'DELETE' })
      for (;;) {
        const { body } = await local.call('GET', '/chaos/jobs?stateFilter=running&stateFilter=pending')
        if (((body.jobs as unknown[] | undefined) ?? []).length === 0) return
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
    async restart() {
      await local.kill()
      local = await startLocal({ dir: data, port: Number(new URL(url).port) })
    },
    async stop() {
      await local.stop()
      await rm(data, { recursive: true, force: true })
      await remove()
    },
  }
}

function insert(mode: Mode, generation: number): string {
  const values = mode.source(generation).map((row: Row) => `(DATE '${row.dato}', ${row.id}, ${row.gen}, '${row.verdi}')`)
  return `INSERT INTO \`chaos.inn.${mode.name}\` (dato, id, gen, verdi) VALUES ${values.join(', ')}`
}

async function ask(url: string, query: string): Promise<readonly Cells[] | undefined> {
  const answer = await fetch(`${url}/bigquery/v2/projects/chaos/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, useLegacySql: false, timeoutMs: 60_000, maxResults: 100_000 }),
  })
  const body = (await answer.json()) as {
    schema?: { fields: readonly { name: string }[] }
    rows?: readonly { f: readonly { v: string | null }[] }[]
    error?: { message: string }
  }
  if (answer.status === 404) return undefined
  if (!answer.ok) throw new Error(`${body.error?.message}\n${query}`)
  const names = (body.schema?.fields ?? []).map(({ name }) => name)
  return (body.rows ?? []).map(({ f }) => Object.fromEntries(f.map(({ v }, index) => [names[index]!, v])))
}
