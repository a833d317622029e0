import { EtlError } from '../domain/error.ts'
import { notice } from '../domain/notice.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Adoption, Contraction } from '../ports/migrations.ts'
import { fit } from './bootstrap.ts'
import { tablesOf } from './plan.ts'
import type { Settings } from './settings.ts'

type At = {
  readonly ports: Pick<Ports, 'warehouse' | 'clock'>
  readonly settings: Settings
  readonly request: { readonly user: string; readonly attempt: string }
}

/** A new table beside the old one, and what its readers are told. */
export type Evolved = { readonly from: string; readonly to: string; readonly made: boolean; readonly notice: string }

/**
 * Makes the tables of a target under a new name, as today's schema says. Nothing is copied, and the old table is left alone.
 * @throws EtlError `usage` for a name that is no new table's, `notFound` where there is no old one, `schema` where one of the new name has other columns.
 */
export async function evolve(pipeline: NamedPipeline, as: string, until: string | undefined, at: At): Promise<Evolved> {
  const { ports, settings } = at
  const tables = tablesOf(pipeline, settings)
  if (!/^[A-Za-z0-9_]{1,200}$/.test(as))
    throw new EtlError('usage', `--as ${as} is no table's name.`, { hint: 'use letters, digits and _' })
  if (as.toLowerCase() === pipeline.to.table.toLowerCase()) {
    throw new EtlError('usage', `--as ${as}: so the table is called already.`, {
      hint: 'choose another name; the pipeline names the old table until the new one is made',
    })
  }
  const found = await ports.warehouse.differences(pipeline, tables)
  if (found === null) {
    throw new EtlError('notFound', `${tableName(tables.target)} does not exist: no reader can be told of a new one.`, {
      hint: `the first run makes it: \`npm run etl -- run ${pipeline.name}\``,
    })
  }
  const next = { ...pipeline, to: { ...pipeline.to, table: as } }
  const beside = tablesOf(next, settings)
  const whose = { pipeline: next, tables: beside, ...by('evolve', at) }
  const { missing, evolve: more } = await ports.warehouse.describe(next, beside, whose.run)
  await fit(whose, [...missing, ...more], ports, settings)
  const since = found.now.slice(0, 10)
  return {
    from: tableName(tables.target),
    to: tableName(beside.target),
    made: missing.length > 0,
    notice: notice({
      from: tables.target,
      to: beside.target,
      key: pipeline.to.row.key,
      changes: found.changes,
      since,
      until: until ?? daysLater(since, 90),
    }),
  }
}

/** What it takes to take a table over. */
export function adoption(pipeline: NamedPipeline, { ports, settings }: At): Promise<Adoption> {
  return ports.warehouse.adoption(pipeline, tablesOf(pipeline, settings))
}

/** Takes a table over: its `version` column first, then what every target has. Throws EtlError. */
export async function adopt(pipeline: NamedPipeline, { scripts }: Adoption, at: At): Promise<void> {
  const tables = tablesOf(pipeline, at.settings)
  const whose = { pipeline, tables, ...by('adopt', at) }
  await at.ports.warehouse.bootstrap(scripts, whose.attempt)
  const { missing, evolve: more } = await at.ports.warehouse.describe(pipeline, tables, whose.run)
  await fit(whose, [...missing, ...more], at.ports, at.settings)
}

/** What dropping a column takes away. */
export function contraction(pipeline: NamedPipeline, column: string, { ports, settings }: At): Promise<Contraction> {
  return ports.warehouse.contraction(pipeline, tablesOf(pipeline, settings), column)
}

/** Drops it. Throws EtlError. */
export async function contract({ scripts }: Contraction, { ports, request }: At): Promise<void> {
  await ports.warehouse.bootstrap(scripts, request.attempt)
}

function by(what: string, { request: { user, attempt } }: At): { run: string; attempt: string } {
  return { run: `${what}-${user}-${attempt}`, attempt }
}

function daysLater(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)
}
