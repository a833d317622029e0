import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../src/cli/seed.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { run } from '../src/engine/run.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, flagship, root, worldOn } from './support/project.ts'

// Nobody answers after the publish job was submitted: the job goes on by itself, and its end decides what is said.
describe('a publish job whose answer is lost', () => {
  let local: Local
  let pipeline: NamedPipeline
  const published = (name: string) =>
    ask(local.url, `SELECT version FROM \`team-dev.apps_aggregated_etl.runs\` WHERE event = 'published' AND run = '${name}'`)
  const clear = () => fetch(`${local.url}/_local/faults`, { method: 'DELETE' })

  beforeAll(async () => {
    local = await startLocal()
    pipeline = await flagship()
    await seed(local.url, pipeline, await worldOn(local.url), root, 'two-dates')
    await attempt(local.url, pipeline, 'first-aaaaa')
  })
  afterAll(() => local.stop())

  test('is found out from the ledger: published once, and said so', async () => {
    await local.fault({ kind: 'unavailable', match: 'queries/etl-publish', times: 500 })
    const outcome = await attempt(local.url, pipeline, 'lost-bbbbb')
    await clear()
    expect(outcome).toMatchObject({ outcome: 'published' })
    expect(await published('lost')).toHaveLength(1)
  })

  test('may have published, and nobody can say: so is the error, not “nothing was published”', async () => {
    await local.fault({ kind: 'unavailable', match: '(queries|jobs)/etl-publish', times: 500 })
    const { ports, settings, request, events } = await worldOn(local.url, 'dark-ccccc')
    const failure = await run(pipeline, request, ports, settings, new AbortController().signal).catch((error: unknown) => error)
    await clear()
    expect(failure).toMatchObject({ kind: 'unknown' })
    expect(events.find(event => event.kind === 'failed')).toMatchObject({ published: 'unknown' })
  })

  test('is waited for by the retried pod, which publishes nothing more', async () => {
    expect(await attempt(local.url, pipeline, 'dark-ddddd')).toMatchObject({ outcome: 'already published' })
    expect(await published('dark')).toHaveLength(1)
  })
})
