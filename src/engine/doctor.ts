import { EtlError } from '../domain/error.ts'
import { tableName } from '../domain/source.ts'
import type { DatasetFacts, Examiner } from '../ports/doctor.ts'
import type { Ports } from '../ports/index.ts'

/**
 * One look at one thing. `bad`: it stands in the way of a run, and `todo` says what to do. `open`: not applicable or not to be seen from here, and why.
 */
export type Check = {
  /** A pipeline's name, or what is common to all. */
  readonly about: string
  readonly name: string
  readonly state: 'ok' | 'bad' | 'open'
  readonly says: string
  readonly todo?: string
}

/** What a check found out; a thrown EtlError is `bad`. */
export type Verdict = Omit<Check, 'about' | 'name'>

export const ok = (says: string): Verdict => ({ state: 'ok', says })
export const open = (says: string, todo?: string): Verdict => ({ state: 'open', says, ...(todo === undefined ? {} : { todo }) })
export const bad = (says: string, todo: string): Verdict => ({ state: 'bad', says, todo })

/** Does one check. What it throws is its finding; what is not ours is thrown on. */
export async function checked(about: string, name: string, work: () => Promise<Verdict> | Verdict): Promise<Check> {
  try {
    return { about, name, ...(await work()) }
  } catch (error) {
    if (!(error instanceof EtlError)) throw error
    const { problem, hint } = error
    return { about, name, ...bad(problem, hint ?? 'etl plan NAME --sql shows the statements') }
  }
}

/** Can anything be asked at all? The later checks make no sense where one of these is bad. */
export async function examineAccess(examiner: Examiner): Promise<Check[]> {
  const about = 'access'
  const credentials = await checked(about, 'credentials', async () => {
    const whose = await examiner.credentials()
    return whose === null ? open('none needed: a local BigQuery asks nobody who they are') : ok(whose)
  })
  if (credentials.state === 'bad') return [credentials]
  return [
    credentials,
    await checked(about, 'project', async () => {
      await examiner.project()
      return ok('answers')
    }),
    await checked(about, 'jobs', async () => {
      await examiner.dryRun('SELECT 1 AS one')
      return ok('may be run (dry run of a query)')
    }),
  ]
}

/**
 * A dataset that we write to: there, where the jobs run, and without a default expiration, which would delete what we make.
 */
export async function examineDataset(
  about: string,
  { project, dataset }: { readonly project: string; readonly dataset: string },
  location: string,
  examiner: Examiner,
): Promise<Check> {
  return checked(about, `dataset ${dataset}`, async () => {
    const facts = await examiner.dataset(project, dataset)
    if (facts === null)
      return bad(
        `is not there in project ${project}`,
        'it is made by naisjob.yaml: deploy once. On a local BigQuery any client can make it (datasets.insert)',
      )
    return expiration(facts) ?? lying(facts.location, location)
  })
}

/** The verdict on a place: one job reads and writes one location (BigQuery: Dataset locations). */
function lying(found: string | undefined, wanted: string): Verdict {
  if (found === undefined || found.toLowerCase() === wanted.toLowerCase()) return ok(`lies in ${found ?? wanted}`)
  return bad(
    `lies in ${found}, and the jobs run in ${wanted}`,
    `a dataset never moves: make it anew in ${wanted}; or set ETL_LOCATION=${found} if every dataset of the pipeline lies there`,
  )
}

function expiration({ tableExpiration, partitionExpiration }: DatasetFacts): Verdict | undefined {
  const what = tableExpiration !== null ? 'tables' : partitionExpiration !== null ? 'partitions' : undefined
  if (what === undefined) return undefined
  const days = Math.round(((tableExpiration ?? partitionExpiration ?? 0) / 86_400_000) * 10) / 10
  return bad(
    `deletes ${what} ${days} days after they were made (its default expiration)`,
    `take the default expiration away: bq update --default_${what === 'tables' ? 'table' : 'partition'}_expiration 0 DATASET; what was made meanwhile keeps its own`,
  )
}

/** The head row: one, and not held. */
export async function examineHead(
  about: string,
  { head, target }: { readonly head: Parameters<typeof tableName>[0]; readonly target: Parameters<typeof tableName>[0] },
  examiner: Examiner,
  warehouse: Ports['warehouse'],
): Promise<Check> {
  return checked(about, 'head', async () => {
    if ((await examiner.table(head)) === null) return open('not made yet: the first run makes it')
    const { rows } = await warehouse.ask(`SELECT seq, version, run, held, published_at FROM \`${tableName(head)}\``)
    if (rows.length !== 1)
      return bad(
        `${tableName(head)} has ${rows.length} rows instead of one: nothing can be published`,
        'somebody changed it by hand: leave the row with the largest seq, delete the others; if there is none, drop the table and run again',
      )
    const { seq, version, run, held, published_at: since } = rows[0] as Readonly<Record<string, unknown>>
    if (held === true)
      return bad(
        `${tableName(target)} is held since ${since} by ${run}, at version ${version}`,
        `when it may be published again: etl release ${about}`,
      )
    return ok(seq === 0n ? 'one row, nothing published yet' : `one row, version ${version} by ${run}`)
  })
}
