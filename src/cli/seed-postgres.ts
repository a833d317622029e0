import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { databaseOf, inPostgres, sourceFile } from '../domain/fixture.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { sourceName } from '../domain/source.ts'
import type { Settings } from '../engine/settings.ts'

/**
 * Fills the Postgres databases of a pipeline's sources, behind a local BigQuery, from a fixture case: each begins empty. `databases` are the addresses of those that the job reads itself.
 * @throws EtlError `fixture`.
 */
export async function seedPostgres(
  url: string,
  pipeline: NamedPipeline,
  settings: Pick<Settings, 'environment' | 'project' | 'location'>,
  folder: string,
): Promise<{
  readonly made: readonly { readonly name: string; readonly rows: null }[]
  readonly databases: Readonly<Record<string, string>>
}> {
  const begun = new Set<string>()
  const databases: Record<string, string> = {}
  const made: { readonly name: string; readonly rows: null }[] = []
  for (const [name, source] of Object.entries(pipeline.from)) {
    if (!inPostgres(source)) continue
    const path = join(folder, sourceFile(name, source))
    const sql = await readFile(path, 'utf8').catch(cause => {
      throw new EtlError('fixture', `fixtures/${pipeline.name} has no ${sourceFile(name, source)} in this case.`, {
        hint: 'it makes what the source reads: CREATE TABLE …; INSERT INTO …',
        cause,
      })
    })
    const database = databaseOf(source)
    const which =
      source.kind === 'postgres'
        ? { database: source.database }
        : { connection: fullName(nameIn(source.connection, settings.environment), settings) }
    const answer = await fetch(`${url}/_local/postgres`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...which, sql, fresh: !begun.has(database) }),
    })
    if (!answer.ok) {
      const { error } = (await answer.json()) as { error?: { message?: string } }
      throw new EtlError(
        'fixture',
        `${sourceFile(name, source)}: ${error?.message ?? `the local BigQuery answers ${answer.status}`}.`,
      )
    }
    begun.add(database)
    if (source.kind === 'postgres') databases[source.database] = ((await answer.json()) as { url: string }).url
    made.push({ name: sourceName(source, each => nameIn(each, settings.environment)), rows: null })
  }
  return { made, databases }
}

/** `project.location.name`: what a name leaves out is the job's own. */
function fullName(name: string, { project, location }: Pick<Settings, 'project' | 'location'>): string {
  const parts = name.split('.').length
  return parts === 1 ? `${project}.${location}.${name}` : parts === 2 ? `${project}.${name}` : name
}
