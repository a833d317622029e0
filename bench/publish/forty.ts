import { copies, Event, publish } from './pipelines.ts'
import type { Bench } from './server.ts'

const pipelines = 40
const rows = 1_000
const mostRetries = 40
const columns = Event.columns.map(({ name }) => name).join(', ')

/**
 * Forty pipelines that publish into one dataset at the same minute, beside the same forty one after another and forty bare copies of their rows.
 * @returns what is wrong, if one did not publish or they stood in each other's way.
 */
export async function forty({ url, sql }: Bench): Promise<string | undefined> {
  const made = Array.from({ length: pipelines }, (_, index) => copies(`forty_${index + 1}`))
  // The tables are made first, a few at a time: that is once in the life of a pipeline.
  for (let start = 0; start < made.length; start += 5)
    await Promise.all(made.slice(start, start + 5).map(each => publish(url, each, rows)))
  for (const index of made.keys())
    await sql(`CREATE TABLE ut.bare_${index} (id INT64, app STRING, cluster STRING, dato DATE, share FLOAT64, seen BOOL)`)

  const bare = (index: number) => sql(`INSERT INTO ut.bare_${index} (${columns}) SELECT ${columns} FROM ut.forty_${index + 1}`)
  const inserts = await timed(() => Promise.all(made.map((_, index) => bare(index))))
  let retries = 0
  const counted = async (index: number) => {
    const events = await publish(url, made[index] as (typeof made)[number], rows)
    retries += events.filter(event => event.kind === 'waiting').length
  }
  const alone = await timed(async () => {
    for (const index of made.keys()) await counted(index)
  })
  retries = 0
  const together = await timed(() => Promise.all(made.map((_, index) => counted(index))))

  const [{ n } = { n: 0n }] = await sql(
    `SELECT COUNT(*) AS n FROM ut_etl.runs WHERE event = 'published' AND STARTS_WITH(target, 'bench.ut.forty_')`,
  )
  const line = (what: string, seconds: number) => `| ${what} | ${seconds.toFixed(1)} | ${(seconds / inserts).toFixed(1)} |\n`
  process.stdout.write(
    `forty: ${pipelines} pipelines of ${rows} rows each, all into one dataset, in one process beside the server's\n`,
  )
  process.stdout.write('| what | seconds | × bare INSERTs |\n|---|---:|---:|\n')
  process.stdout.write(line('forty bare INSERT … SELECT at once', inserts))
  process.stdout.write(line('forty publications, one after another', alone))
  process.stdout.write(line('forty publications at once', together))
  process.stdout.write(`${retries} conflict retries (at most ${mostRetries}), ${n} of ${3 * pipelines} published\n`)
  if (Number(n) !== 3 * pipelines) return `${n} publications, not ${3 * pipelines}`
  return retries <= mostRetries ? undefined : `${retries} retries, at most ${mostRetries} are allowed`
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
