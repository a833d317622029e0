// What a publication costs in calls of the API, everything but reading and transforming: a count, that it can't grow unseen. bench/publish prints it in full.
import { append, dataset, file, merge, partition, pipeline, replace, row, sql, table } from 'nais-etl'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { readConfig } from '../src/config.ts'
import type { NamedPipeline, Pipeline } from '../src/domain/pipeline.ts'
import { run } from '../src/engine/run.ts'
import { wire } from '../src/wire.ts'
import { type Local, startLocal } from './support/local.ts'
import { root } from './support/project.ts'
import { type FaultProxy, startProxy } from './support/proxy.ts'

let local: Local
let proxy: FaultProxy
beforeAll(async () => {
  local = await startLocal()
  proxy = await startProxy(local.url)
  for (const name of ['calls', 'calls_etl'])
    await local.call('POST', '/team-dev/datasets', { datasetReference: { projectId: 'team-dev', datasetId: name } })
})
afterAll(async () => {
  await proxy.close()
  await local.stop()
})

const Apps = row({ dato: z.iso.date(), cluster: z.string() }, { key: ['dato', 'cluster'] })
const from = { apps: file(Apps, 'fixtures/apps-per-env/two-dates/apps.csv') }
const schedule = '30 6 * * *'
const to = (name: string) => dataset('calls').table(name, Apps)
const distinct = (pages: readonly { dato: string; cluster: string }[]) => [
  ...new Map(pages.map(app => [`${app.dato} ${app.cluster}`, app])).values(),
]

const pipelines: Record<string, Pipeline> = {
  replace: pipeline({ schedule, from, transform: ({ apps }) => distinct(apps), to: to('replace'), write: replace() }),
  partition: pipeline({ schedule, from, transform: ({ apps }) => distinct(apps), to: to('partition'), write: partition('dato') }),
  append: pipeline({ schedule, from, transform: ({ apps }) => distinct(apps), to: to('append'), write: append() }),
  merge: pipeline({ schedule, from, transform: ({ apps }) => distinct(apps), to: to('merge'), write: merge() }),
  deletes: pipeline({
    schedule,
    from,
    transform: ({ apps }) => distinct(apps),
    to: to('deletes'),
    write: merge({ deletes: 'missing' }),
  }),
  sql: pipeline({
    schedule,
    from: { apps: table(Apps, 'calls.replace') },
    transform: sql`SELECT dato, cluster FROM ${'apps'}`,
    to: to('sql'),
    write: replace(),
  }),
}

/** What the sql pipeline asks of its source. */
const reading = 'GET datasets/calls/tables/replace'

/** A run with the waits of production: how long the service may hold an answer decides how often it is asked. */
async function published(made: NamedPipeline, pod: string): Promise<void> {
  const env = { BIGQUERY_EMULATOR_HOST: proxy.url, GOOGLE_CLOUD_PROJECT: 'team-dev', NAIS_POD_NAME: pod, NAIS_APP_NAME: 'apps' }
  const config = readConfig({}, { env, stdout: process.stdout, cwd: root })
  const { ports, settings, request } = await wire(config, { report: 'quiet' })
  expect((await run(made, request, ports, settings, new AbortController().signal)).outcome).toBe('published')
}

/** The calls of a second publication, one a line; how often a job is asked whether it is done depends on how long it takes, and counts once. */
async function callsOf(name: string): Promise<string[]> {
  const made = { ...(pipelines[name] as Pipeline), name }
  await published(made, `${name}-one-aaaaa`)
  const before = proxy.seen.length
  await published(made, `${name}-two-aaaaa`)
  await proxy.idle()
  const calls = proxy.seen.slice(before).map(({ method, path, query, json }) => {
    const text = String((json as { query?: string })?.query ?? '').trim()
    const where = path
      .replace(/^.*\/team-dev\//, '')
      .replace(/job_.*|(?<=(jobs|queries)\/).*/, 'ID')
      .replace(/__[0-9a-f]{6}$/, '')
    return [method, where, query.get('uploadType') ?? '', /^\w*/.exec(text)?.[0] ?? ''].filter(part => part !== '').join(' ')
  })
  return calls.filter(
    (call, index) => !(call === 'GET jobs/ID' && call === calls[index - 1]) && !(name === 'sql' && call === reading),
  )
}

test('a small result is published in eleven calls', async () => {
  expect(await callsOf('replace')).toEqual([
    // plan: the table, then clock, head and ledger in one answer
    'GET datasets/calls/tables/replace',
    'POST queries SELECT',
    // claim
    'POST queries INSERT',
    // stage: the table, the file with its load job, the job's end
    'POST datasets/calls_etl/tables',
    'POST jobs multipart',
    'GET jobs/ID',
    // that it is staged, and the audit: every promise, the number of rows and their hash
    'POST queries INSERT',
    // publish: the job's id is known before it is; script, answer
    'POST queries INSERT',
    'POST jobs',
    'GET queries/ID',
    'DELETE datasets/calls_etl/tables/stage__replace',
  ])
}, 120_000)

test.each([
  ['partition', 11],
  ['append', 11],
  ['merge', 11],
  ['deletes', 12],
  ['sql', 11],
])(
  'in mode %s in %i',
  async (name, most) => {
    const calls = await callsOf(name)
    expect(calls, calls.join('\n')).toHaveProperty('length', most)
  },
  120_000,
)
