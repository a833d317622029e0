import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job } from '../../src/adapters/bigquery/jobs.ts'
import { isDuplicate, labels } from '../../src/adapters/bigquery/jobs.ts'
import { type Parameter, parameter } from '../../src/adapters/bigquery/publish.ts'
import { queryConfiguration } from '../../src/adapters/bigquery/query.ts'
import { EtlError } from '../../src/domain/error.ts'
import { literal } from '../../src/domain/literal.ts'
import { type Check, fails, seen } from '../check.ts'
import { expiring, type Names, ours } from '../names.ts'
import { heldScript, heldText, whileHeld } from '../overlap.ts'
import { makeTarget, publishing, stateOf, target, targetScript } from '../target.ts'
import { failureIn, jobOf, said } from '../world.ts'

const clientFile = fileURLToPath(new URL('../client.ts', import.meta.url))

/** 8 */
const killedClient: Check = {
  number: 8,
  title: 'a client killed after the submit: its job commits',
  does: 'a process of its own submits a publish script and is killed with SIGKILL while the job runs; then the job is waited for',
  verifies:
    'Managing jobs: a job runs asynchronously, whoever submitted it; that a killed connection does not cancel one is [unv]',
  otherwise: 'nothing in the protocol: the next attempt finds either end. `settle` would have less to wait for',
  cost: { publications: 1, tables: 12 },
  statements: names => {
    const made = target(names, 'c8', 'replace')
    return [targetScript(names, made), heldText(publishing(made, { number: 1 }, '…').sql)]
  },
  async run(world) {
    const made = await makeTarget(world, 'c8', 'replace')
    const { project, location, local, address } = world.api
    const jobId = world.id('c8-killed')
    const { sql, parameters } = publishing(made, { number: 1 }, jobId)
    const configuration = { labels, ...queryConfiguration(heldScript(sql, world.faults), parameters) }
    const child = spawn(process.execPath, [clientFile], { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise<NodeJS.Signals | null>(resolve => child.once('exit', (_, signal) => resolve(signal)))
    const to = { project, location, endpoint: local ? address : undefined }
    const start = async () => {
      child.stdin.end(JSON.stringify({ to, job: { jobId, location, configuration } }))
      while ((await world.jobs.find(jobId)) === undefined && child.exitCode === null) await world.api.clock.sleep(50)
    }
    const [signal, wasOpen] = await whileHeld(world, [{ name: 'c8-killed', sql, parameters, start }], async isOpen => {
      child.kill('SIGKILL')
      return [await ended, await isOpen()] as const
    }).finally(() => child.kill('SIGKILL'))
    const { rows } = await world.ended(jobId)
    const evidence = `client ended by ${signal}, the job ${wasOpen ? 'still running' : 'over already'}; then ${rows[0]?.outcome}; ${await stateOf(world, made, 'c8-after')}`
    return seen(signal === 'SIGKILL' && wasOpen && rows[0]?.outcome === 'published', evidence)
  },
}

/** 14 */
const duplicateId: Check = {
  number: 14,
  title: 'a second job with the same id: 409',
  does: 'submits SELECT 1 and SELECT 2 under one id',
  verifies: 'jobs.insert: the id of a job is unique in its project and location; status, reason and text: [unv]',
  otherwise: 'isDuplicate in src/adapters/bigquery/jobs.ts takes what came',
  cost: {},
  statements: () => ['SELECT 1', 'SELECT 2'],
  async run(world) {
    await world.script('c14', 'SELECT 1')
    const failure = await failureIn(world.submit('c14', 'SELECT 2'))
    if (failure === undefined) return fails('it was accepted a second time')
    return seen(failure.status === 409 && isDuplicate(failure), said(failure))
  },
}

const echoed: readonly Parameter[] = [
  parameter('whole', 'TIMESTAMP', '2024-02-01T05:30:00Z'),
  parameter('micros', 'TIMESTAMP', '2024-02-01T05:30:00.000001Z'),
  parameter('number', 'INT64', '4611686018427387904'),
  parameter('text', 'STRING', 'æøå "\'\\\n{"a": [1]}'),
  parameter('empty', 'STRING', ''),
  parameter('nothing', 'STRING', null),
]
const echoQuery = 'SELECT @whole, @micros, @number, @text, @empty, @nothing'

/** 18 */
const echo: Check = {
  number: 18,
  title: 'jobs.get tells parameters word for word: the same work is adopted, other work is not',
  does: 'submits one job twice through the adapter, which compares text and values before it adopts; then another text under the same id',
  verifies: 'jobs.get, configuration.query.queryParameters: that values come back as they were sent is [unv]',
  otherwise: 'sameWork in src/adapters/bigquery/jobs.ts compares a hash that the job carries as a label',
  cost: {},
  statements: () => [echoQuery, `with ${echoed.map(each => `@${each.name}`).join(', ')}`],
  async run(world) {
    const id = world.id('c18')
    await world.jobs.finished(await world.jobs.accepted(id, queryConfiguration(echoQuery, echoed)))
    const again = await failureOrDefect(world.jobs.accepted(id, queryConfiguration(echoQuery, echoed)))
    const other = await failureOrDefect(world.jobs.accepted(id, queryConfiguration(`${echoQuery}, 2`, echoed)))
    type Told = Job & { configuration: { query: { queryParameters?: readonly Parameter[] } } }
    const told = (await jobOf<Told>(world, id)).configuration.query.queryParameters ?? []
    const changed = echoed.filter(sent => {
      const back = told.find(({ name }) => name === sent.name)
      return (
        back?.parameterType.type !== sent.parameterType.type ||
        (back.parameterValue?.value ?? null) !== (sent.parameterValue.value ?? null)
      )
    })
    const evidence = `the same: ${again ?? 'adopted'}; another: ${other === undefined ? 'adopted' : 'refused'}; changed on the way: ${changed.map(({ name }) => name).join(', ') || 'none'}`
    return seen(again === undefined && other !== undefined && changed.length === 0, evidence)
  },
}

async function failureOrDefect(work: Promise<unknown>): Promise<string | undefined> {
  try {
    return await failureIn(work).then(failure => (failure === undefined ? undefined : said(failure)))
  } catch (error) {
    if (error instanceof EtlError) return error.problem
    throw error
  }
}

const replayed = (names: Names) => `INSERT INTO ${literal.table(ours(names, 'c19'))} (n) VALUES (1)`
const replayMake = (names: Names) => expiring(names, `CREATE TABLE ${literal.table(ours(names, 'c19'))} (n INT64)`)

/** 19 */
const replay: Check = {
  number: 19,
  title: 'jobs.query with the same requestId twice: done once',
  does: 'sends one INSERT twice with one requestId and counts the rows',
  verifies:
    'jobs.query, requestId: "a duplicate request" within 15 minutes is answered by the first one’s result; for DML: [unv]',
  otherwise:
    'notes of the ledger go by jobs.insert with an id again (one call more each); readers of the ledger count attempts, not rows, either way',
  cost: { tables: 4 },
  statements: names => [replayMake(names), `POST queries (requestId) ${replayed(names)}`, 'the same again'],
  async run(world) {
    const { api, names } = world
    await world.script('c19-make', replayMake(names))
    const send = () =>
      api.once<{ jobReference?: { jobId?: string }; numDmlAffectedRows?: string }>({
        method: 'POST',
        path: `${api.project}/queries`,
        body: {
          query: replayed(names),
          useLegacySql: false,
          location: api.location,
          requestId: world.id('c19').slice(0, 36),
          timeoutMs: 60_000,
        },
      })
    const answers = [await send(), await send()]
    const { rows } = await world.script('c19-count', `SELECT COUNT(*) AS n FROM ${literal.table(ours(names, 'c19'))}`)
    const sameJob = answers[0]?.jobReference?.jobId === answers[1]?.jobReference?.jobId
    return seen(
      String(rows[0]?.n) === '1',
      `${rows[0]?.n} row; ${sameJob ? 'both answers name one job' : 'the answers name different jobs'}`,
    )
  },
}

export const jobChecks: readonly Check[] = [killedClient, duplicateId, echo, replay]
