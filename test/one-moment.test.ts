import { dataset, partition, pipeline, query, replace, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { RunEvent } from '../src/domain/event.ts'
import type { NamedPipeline, Pipeline } from '../src/domain/pipeline.ts'
import { makePlans } from '../src/engine/plan.ts'
import { etl, project } from './support/etl.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, worldOn } from './support/project.ts'
import { type Fate, type FaultProxy, type Request, startProxy } from './support/proxy.ts'
import { makeDatasets, sourceTable } from './support/source-table.ts'

// A row is moved from one table to the other in one transaction: whoever reads both sees it once.
const Sak = row({ sak: z.int(), status: z.string() })
const Antall = row({ aktive: z.int(), lukkede: z.int() })
const schedule = '0 5 * * *'
const from = { aktive: table(Sak, 'inn.aktive'), lukkede: table(Sak, 'inn.lukkede') }
const to = dataset('ut').table('antall', Antall)
const counted = ({ aktive, lukkede }: { aktive: readonly unknown[]; lukkede: readonly unknown[] }) => [
  { aktive: aktive.length, lukkede: lukkede.length },
]
const named = (made: Pipeline, name = 'antall'): NamedPipeline => ({ ...made, name })
const antall = named(pipeline({ schedule, from, transform: counted, to, write: replace() }))

let local: Local
let proxy: FaultProxy
let decide: (request: Request) => Fate | undefined = () => undefined
let aktive: Awaited<ReturnType<typeof sourceTable>>
let lukkede: Awaited<ReturnType<typeof sourceTable>>
beforeAll(async () => {
  local = await startLocal()
  proxy = await startProxy(local.url, request => decide(request))
  await makeDatasets(local, 'inn', 'ut')
  const columns = 'sak INT64 NOT NULL, status STRING NOT NULL'
  aktive = await sourceTable(local, 'inn.aktive', columns)
  lukkede = await sourceTable(local, 'inn.lukkede', columns)
  await local.call('POST', '/team-dev/datasets/inn/tables', {
    tableReference: { projectId: 'team-dev', datasetId: 'inn', tableId: 'utsnitt' },
    view: { query: 'SELECT sak, status FROM inn.lukkede', useLegacySql: false },
    schema: {
      fields: [
        { name: 'sak', type: 'INTEGER' },
        { name: 'status', type: 'STRING' },
      ],
    },
  })
})
afterAll(async () => {
  await proxy.close()
  await local.stop()
})
beforeEach(async () => {
  decide = () => undefined
  await aktive.fill("(1, 'ny')", "(2, 'ny')")
  await lukkede.fill("(3, 'lukket')")
})

let pods = 0
const once = (made: NamedPipeline) => attempt(proxy.url, made, `pod${++pods}-aaaaa`)
const eventsOf = <K extends RunEvent['kind']>(events: readonly RunEvent[], kind: K) =>
  events.filter((event): event is Extract<RunEvent, { kind: K }> => event.kind === kind)

/** The text of a query that is submitted. */
function textOf({ method, path, json }: Pick<Request, 'method' | 'path' | 'json'>): string {
  if (method !== 'POST') return ''
  const body = json as { query?: string; configuration?: { query?: { query?: string } } } | undefined
  return (path.endsWith('/queries') ? body?.query : body?.configuration?.query?.query) ?? ''
}
const isRead = (request: Request, name: string) =>
  textOf(request).startsWith(`SELECT`) && textOf(request).includes(`inn.${name}\``)
const move = () =>
  ask(
    local.url,
    `BEGIN TRANSACTION;
     INSERT INTO \`team-dev.inn.lukkede\` SELECT sak, 'lukket' FROM \`team-dev.inn.aktive\` WHERE sak = 2;
     DELETE FROM \`team-dev.inn.aktive\` WHERE sak = 2;
     COMMIT TRANSACTION; SELECT 1 AS done`,
  )
const published = () => ask(local.url, 'SELECT aktive, lukkede FROM `team-dev.ut.antall`')

describe('two tables of one function', () => {
  test('are read as of one moment, which is no earlier than the claim and costs no call', async () => {
    const before = proxy.seen.length
    const { events, outcome } = await once(antall)
    expect(outcome).toBe('published')
    const [moment] = eventsOf(events, 'moment')
    expect(moment).toMatchObject({ sources: ['aktive', 'lukkede'], apart: '' })
    const texts = proxy.seen.slice(before).map(textOf)
    const at = `TIMESTAMP '${moment?.at?.replace('T', ' ').replace('Z', '+00')}'`
    expect(texts.filter(text => text.includes('FOR SYSTEM_TIME'))).toEqual([
      `SELECT \`sak\`, \`status\` FROM \`team-dev.inn.aktive\` FOR SYSTEM_TIME AS OF ${at}`,
      `SELECT \`sak\`, \`status\` FROM \`team-dev.inn.lukkede\` FOR SYSTEM_TIME AS OF ${at}`,
    ])
    // The claim's own call tells the moment.
    expect(texts.filter(text => /SELECT CURRENT_TIMESTAMP\(\) AS now/.test(text))).toEqual([
      expect.stringMatching(/^INSERT INTO `team-dev\.ut_etl\.runs`/),
    ])
    const [claim] = await ask(
      local.url,
      `SELECT logged_at <= ${at} AS isBefore FROM \`team-dev.ut_etl.runs\` WHERE event = 'claimed' ORDER BY logged_at DESC LIMIT 1`,
    )
    expect(claim).toEqual({ isBefore: true })
    expect(await published()).toEqual([{ aktive: 2n, lukkede: 1n }])
  })

  test('a row that is moved between the two reads is never seen twice, nor not at all', async () => {
    let moved: Promise<unknown> | undefined
    decide = request => {
      if (!isRead(request, 'lukkede') || moved !== undefined) return undefined
      return { kind: 'pass', before: () => (moved = move()) }
    }
    const { events } = await once(antall)
    expect(moved).toBeDefined()
    expect(await published()).toEqual([{ aktive: 1n, lukkede: 2n }])
    // BigQuery would read the past. The local one keeps none: both are read anew, at a later moment.
    expect(eventsOf(events, 'moment')).toHaveLength(2)
    expect(eventsOf(events, 'waiting').map(({ why }) => why)).toEqual([
      expect.stringMatching(
        /^read lukkede: reading team-dev\.inn\.lukkede \(job [\w-]+\): Invalid snapshot time \d+ for table team-dev:inn\.lukkede@\d+\. Cannot read before \d+\. The local BigQuery keeps no rows of the past: .* Reading anew$/,
      ),
    ])
    expect(await published()).toEqual([{ aktive: 1n, lukkede: 2n }])
  })

  test('a row that comes between plan and claim is read: it would not count as late', async () => {
    let come: Promise<unknown> | undefined
    decide = request => {
      if (come !== undefined || !textOf(request).includes('AS now;')) return undefined
      return { kind: 'pass', before: () => (come = lukkede.fill("(3, 'lukket')", "(4, 'lukket')")) }
    }
    await once(antall)
    expect(come).toBeDefined()
    expect(await published()).toEqual([{ aktive: 2n, lukkede: 2n }])
  })

  test('where every moment is too old, the run fails with a sentence and leaves what was published', async () => {
    await once(antall)
    decide = request => (isRead(request, 'lukkede') ? { kind: 'pass', before: () => lukkede.fill("(4, 'lukket')") } : undefined)
    await expect(once(antall)).rejects.toMatchObject({
      kind: 'unavailable',
      where: { step: 'read lukkede' },
      hint: expect.stringMatching(
        /^this run reads its sources as they were at 20\S+Z, and of then nothing is kept of this one: it was made/,
      ),
    })
    expect(await published()).toEqual([{ aktive: 2n, lukkede: 1n }])
  })

  test('one whose past may not be read is read as it is, and the log says so', async () => {
    decide = request =>
      isRead(request, 'lukkede') && textOf(request).includes('FOR SYSTEM_TIME') ? { kind: 'denied' } : undefined
    const { events } = await once(antall)
    expect(eventsOf(events, 'way')).toEqual([
      expect.objectContaining({
        source: 'lukkede',
        by: expect.stringMatching(
          /^its rows as they are, not as they were at 20\S+Z: reading team-dev\.inn\.lukkede.*Access Denied: /,
        ),
      }),
    ])
    expect(await published()).toEqual([{ aktive: 2n, lukkede: 1n }])
  })

  test('one that may not be read at all is refused as ever', async () => {
    decide = request => (isRead(request, 'lukkede') ? { kind: 'denied' } : undefined)
    await expect(once(antall)).rejects.toMatchObject({ kind: 'denied', where: { step: 'read lukkede' } })
  })
})

test('a source that breaks off is read anew with all others, at a moment of its own', async () => {
  const submitted = { aktive: [] as string[], lukkede: [] as string[] }
  decide = request => {
    for (const name of ['aktive', 'lukkede'] as const) if (isRead(request, name)) submitted[name].push(textOf(request))
    const isPage = /\/queries\/etl-read-lukkede/.test(request.path)
    return isPage && submitted.lukkede.length === 1 ? { kind: 'unavailable' } : undefined
  }
  const { events, outcome } = await once(antall)
  expect(outcome).toBe('published')
  const moments = eventsOf(events, 'moment').map(({ at }) => at?.replace('T', ' ').replace('Z', ''))
  expect(new Set(moments).size).toBe(2)
  for (const texts of Object.values(submitted))
    expect(texts.map(text => moments.findIndex(at => text.includes(String(at))))).toEqual([0, 1])
})

test('slice by slice, also of a table that is called like its column', async () => {
  const Dag = row({ dato: z.iso.date(), n: z.int() }, { key: ['dato'] })
  const columns = 'dato DATE NOT NULL, n INT64 NOT NULL'
  const [dato, andre] = [await sourceTable(local, 'inn.dato', columns), await sourceTable(local, 'inn.andre', columns)]
  await dato.fill("('2026-01-01', 1)", "('2026-01-02', 2)")
  await andre.fill("('2026-01-02', 20)")
  const made = pipeline({
    schedule,
    from: { dato: table(Dag, 'inn.dato'), andre: table(Dag, 'inn.andre') },
    transform: ({ dato, andre }) => dato.map(day => ({ ...day, n: day.n + (andre[0]?.n ?? 0) })),
    to: dataset('ut').table('dager', Dag),
    write: partition('dato'),
  })
  const before = proxy.seen.length
  await once(named(made, 'dager'))
  expect(await ask(local.url, 'SELECT n FROM `team-dev.ut.dager` ORDER BY dato')).toEqual([{ n: 1n }, { n: 22n }])
  const reads = proxy.seen
    .slice(before)
    .map(textOf)
    .filter(text => text.includes('FOR SYSTEM_TIME'))
  expect(reads).toHaveLength(2)
  expect(reads[0]).toMatch(
    /inn\.dato` AS `this_table` FOR SYSTEM_TIME AS OF TIMESTAMP '20.*\+00' WHERE `dato` BETWEEN .* ORDER BY `dato`$/,
  )
})

describe('plan', () => {
  const plansOf = async (made: NamedPipeline) => {
    const { request, ports, settings } = await worldOn(local.url)
    return makePlans(made, request, ports, settings)
  }
  const one = (sources: object, transform: unknown) =>
    named(pipeline({ schedule, from: sources, transform, to, write: replace() } as never))

  test('prints the rule, and the very text', async () => {
    const file = `import { dataset, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'

const Sak = row({ sak: z.int(), status: z.string() })
export default pipeline({
  schedule: '0 5 * * *',
  from: { aktive: table(Sak, 'inn.aktive'), lukkede: table(Sak, 'inn.lukkede'), utsnitt: table(Sak, 'inn.utsnitt') },
  transform: ({ aktive, lukkede }) => [{ n: aktive.length + lukkede.length }],
  to: dataset('ut').table('sum', row({ n: z.int() })),
  write: replace(),
})
`
    const team = await project({ 'src/pipelines/sum.ts': file })
    const env = { BIGQUERY_EMULATOR_HOST: local.url, GOOGLE_CLOUD_PROJECT: 'team-dev' }
    const { stdout } = await etl(team.dir, ['plan', 'sum', '--sql'], env)
    await team.remove()
    expect(stdout).toContain(
      "  moment    aktive and lukkede as of one moment: BigQuery's clock when the run has claimed its version; not of that moment: utsnitt is a view: it shows what lies behind it now\n",
    )
    expect(stdout).toMatch(/inn\.aktive` FOR SYSTEM_TIME AS OF TIMESTAMP '20.*\+00'\n/)
    expect(stdout).toMatch(/inn\.utsnitt`\n/)
  })

  test('one table has no moment, a table and a view are not of one, and neither is a query', async () => {
    const alone = await plansOf(one({ aktive: from.aktive }, () => []))
    expect(alone[0]?.moment).toBeNull()
    expect(alone[0]?.sources[0]?.read).not.toContain('FOR SYSTEM_TIME')
    const view = await plansOf(one({ aktive: from.aktive, utsnitt: table(Sak, 'inn.utsnitt') }, () => []))
    expect(view[0]?.moment).toMatchObject({
      pinned: [],
      apart: [{ name: 'utsnitt', why: 'is a view: it shows what lies behind it now' }],
    })
    expect(view[0]?.sources[0]?.read).not.toContain('FOR SYSTEM_TIME')
    const asked = query(Sak, sql`SELECT sak, status FROM \`team-dev.inn.lukkede\``)
    const mixed = await plansOf(one({ ...from, spurt: asked }, () => []))
    expect(mixed[0]?.moment).toMatchObject({ pinned: ['aktive', 'lukkede'], apart: [{ name: 'spurt' }] })
    expect(mixed[0]?.sources[2]?.read).not.toContain('FOR SYSTEM_TIME')
  })

  test('a sql transform is one query; a snapshot never changes', async () => {
    const text = sql`SELECT (SELECT COUNT(*) FROM ${'aktive'}) AS aktive, (SELECT COUNT(*) FROM ${'lukkede'}) AS lukkede`
    expect((await plansOf(one(from, text)))[0]?.moment).toBeNull()
    await ask(
      local.url,
      'CREATE SNAPSHOT TABLE IF NOT EXISTS `team-dev.inn.bilde` CLONE `team-dev.inn.lukkede`; SELECT 1 AS done',
    )
    const bilde = table(Sak, 'inn.bilde')
    const [plan] = await plansOf(one({ ...from, bilde }, () => []))
    expect(plan?.moment).toMatchObject({ pinned: ['aktive', 'lukkede'], apart: [] })
    expect(plan?.replayable.why).not.toContain('bilde')
    expect((await plansOf(one({ aktive: from.aktive, bilde }, () => [])))[0]?.moment).toBeNull()
  })

  test('two targets read one table at one moment', async () => {
    const made = named(
      pipeline({ schedule, from: { aktive: from.aktive }, to: dataset('ut').table('kopi', Sak), write: replace() }).and({
        to: dataset('ut').table('sum', row({ n: z.int() })),
        write: replace(),
        transform: ({ aktive }) => [{ n: aktive.length }],
      }),
      'begge',
    )
    const before = proxy.seen.length
    const { events } = await once(made)
    expect(eventsOf(events, 'moment').map(({ sources }) => sources)).toEqual([['aktive']])
    const reads = proxy.seen
      .slice(before)
      .map(textOf)
      .filter(text => text.includes('FOR SYSTEM_TIME'))
    expect([reads.length, new Set(reads).size]).toEqual([2, 1])
  })
})
