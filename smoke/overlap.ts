import type { Parameter } from '../src/adapters/bigquery/publish.ts'
import { failureFrom, jobOf, type World } from './world.ts'

/*
 * Two transactions overlap for certain if one is known to have changed its table and not to have committed yet. On the service nothing can hold a commit
 * but work of the script itself: before COMMIT stand SELECTs, each a child job of its own, half a second or more; no clock could end a loop, for
 * CURRENT_TIMESTAMP stands still in a transaction. No table is read, nothing is billed. Our local server holds the commit itself, by a fault.
 */

const selects = 30
const select =
  '  SET hold = (SELECT COUNTIF(MOD(n * m, 7) = 3) FROM UNNEST(GENERATE_ARRAY(1, 10000)) AS n, UNNEST(GENERATE_ARRAY(1, 100)) AS m);'
/** The local server lets go after this long: what waits for the commit must not wait for ever. */
const localHold = 3_000

/** The script with its commit held back: as it stands where the server can do that, else by work. */
export function heldScript(sql: string, faults: boolean): string {
  if (faults) return sql
  const work = Array.from({ length: selects }, () => select).join('\n')
  return `DECLARE hold INT64;\n${sql.replace(/^ *COMMIT TRANSACTION;/m, commit => `${work}\n${commit}`)}`
}

/** How it is printed by `--dry`. */
export function heldText(sql: string): string {
  const work = `${select}  -- ${selects} times`
  return `DECLARE hold INT64;\n${sql.replace(/^ *COMMIT TRANSACTION;/m, commit => `${work}\n${commit}`)}`
}

/** A transaction that is to be held: its script as production writes it, and how it is submitted if not by Google's client. */
type Held = {
  readonly name: string
  readonly sql: string
  readonly parameters: readonly Parameter[]
  readonly start?: () => Promise<unknown>
}

/**
 * Runs `meanwhile` after all changes and before the commit of each of these transactions, submitted at once. `isOpen` is asked inside of it: are all
 * commits still to come?
 */
export async function whileHeld<T>(
  world: World,
  held: readonly Held[],
  meanwhile: (isOpen: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  const ids = held.map(({ name }) => world.id(name))
  const start = () =>
    Promise.all(
      held.map(({ name, sql, parameters, start }) => start?.() ?? world.submit(name, heldScript(sql, world.faults), parameters)),
    )
  const isOpen = async () => (await Promise.all(ids.map(id => isRunning(world, id)))).every(running => running)
  if (!world.faults) {
    await start()
    await Promise.all(held.map(({ name, sql }) => until(world, world.id(name), () => hasChanged(world, world.id(name), sql))))
    return meanwhile(isOpen)
  }
  const faults = `${world.api.address}/_local/faults`
  const release = () => fetch(faults, { method: 'DELETE' })
  const fault = { kind: 'holdCommit', match: `^(${ids.join('|')})$`, times: ids.length }
  await fetch(faults, { method: 'POST', body: JSON.stringify(fault) })
  let timer: NodeJS.Timeout | undefined
  try {
    await start()
    for (const id of ids) await until(world, id, async () => (await heldNow(faults)) >= ids.length)
    timer = setTimeout(() => void release().catch(() => undefined), localHold)
    return await meanwhile(isOpen)
  } finally {
    clearTimeout(timer)
    await release()
  }
}

/**
 * As many child jobs that change rows are done as the script has such statements. Who may not list jobs sees their number only: then three more, for the
 * questions of the script itself (BigQuery REST: JobStatistics.numChildJobs).
 */
async function hasChanged(world: World, id: string, sql: string): Promise<boolean> {
  const all = sql.match(/^ *(UPDATE|INSERT|DELETE|MERGE|TRUNCATE) /gm)?.length ?? 1
  const isChange = /^(UPDATE|INSERT|DELETE|MERGE|TRUNCATE_TABLE)$/
  const found = await children(world.api, id)
  if (found !== undefined) return found.filter(({ type, state }) => state === 'DONE' && isChange.test(type)).length >= all
  const { statistics } = await jobOf<{ statistics?: { numChildJobs?: string } }>(world, id)
  return Number(statistics?.numChildJobs ?? 0) >= all + 3
}

async function isRunning(world: World, id: string): Promise<boolean> {
  return (await jobOf(world, id)).status.state !== 'DONE'
}

/** A statement that a script ran, which is a job of its own. Bytes as the API tells them. */
type Child = { readonly type: string; readonly state: string; readonly billed: string; readonly processed: string }

/** The statements of a script; undefined for an account that may not list jobs (bigquery.jobs.list, which jobUser lacks). */
export async function children(api: World['api'], id: string): Promise<readonly Child[] | undefined> {
  type Told = {
    readonly status?: { readonly state?: string }
    readonly statistics?: { readonly parentJobId?: string; readonly query?: Readonly<Record<string, string | undefined>> }
  }
  const query = { parentJobId: id, projection: 'full', maxResults: 200 }
  try {
    const { jobs = [] } = await api.repeat<{ jobs?: readonly Told[] }>({ path: `${api.project}/jobs`, query })
    // Our local server has no child jobs, and does not look at the parameter.
    const own = jobs.filter(({ statistics }) => !api.local || statistics?.parentJobId === id)
    return own.map(({ status, statistics }) => ({
      type: statistics?.query?.statementType ?? '',
      state: status?.state ?? '',
      billed: statistics?.query?.totalBytesBilled ?? '?',
      processed: statistics?.query?.totalBytesProcessed ?? '?',
    }))
  } catch (error) {
    if (failureFrom(error).status === 403) return undefined
    throw error
  }
}

/** How long before the end of `first` the job `second` had started, in seconds; negative if it came too late to overlap. */
export async function startedBefore(world: World, second: string, first: string): Promise<number> {
  type Times = { readonly statistics?: { readonly startTime?: string; readonly endTime?: string } }
  const [{ statistics: late }, { statistics: early }] = [await jobOf<Times>(world, second), await jobOf<Times>(world, first)]
  return (Number(early?.endTime) - Number(late?.startTime)) / 1000
}

async function until(world: World, id: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tried = 1; tried <= 600; tried++) {
    if (await isSo()) return
    // Refused, or over too soon: what comes next says so.
    if (!(await isRunning(world, id))) return
    await world.api.clock.sleep(100)
  }
}

async function heldNow(faults: string): Promise<number> {
  return ((await (await fetch(faults)).json()) as { held: number }).held
}
