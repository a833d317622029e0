import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../src/cli/seed.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { makePlan, publicationOf } from '../src/engine/plan.ts'
import { makeStage } from '../src/engine/stage.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, flagship, root, worldOn } from './support/project.ts'

// What the publish script is for. Each test fails without one part of it: the fence, the own write read back, the conflict by table.
describe('runs at once', () => {
  let local: Local
  let pipeline: NamedPipeline
  const head = () => ask(local.url, 'SELECT seq, run FROM `team-dev.apps_aggregated_etl.head__apps_per_env`')
  const published = () => ask(local.url, "SELECT run, version FROM `team-dev.apps_aggregated_etl.runs` WHERE event = 'published'")
  const rows = () => ask(local.url, 'SELECT dato, env, datacenter FROM `team-dev.apps_aggregated.apps_per_env`')

  beforeAll(async () => {
    local = await startLocal()
    pipeline = await flagship()
    await seed(local.url, pipeline, await worldOn(local.url), root, 'two-dates')
    await attempt(local.url, pipeline, 'first-aaaaa')
  })
  afterAll(() => local.stop())

  test('three Jobs of one target: three versions in a row, one copy of the rows', async () => {
    const outcomes = await Promise.all(['a', 'b', 'c'].map(name => attempt(local.url, pipeline, `job-${name}-bbbbb`)))
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['published', 'published', 'published'])
    const versions = (await published()).map(row => row.version)
    expect(new Set(versions).size).toBe(4)
    expect((await head())[0]?.seq).toBe(4n)
    expect(await rows()).toHaveLength(4)
  })

  test('three pods of one Job: one version', async () => {
    const outcomes = await Promise.all(['ccccc', 'ddddd', 'eeeee'].map(pod => attempt(local.url, pipeline, `same-${pod}`)))
    expect(outcomes.every(({ outcome }) => ['published', 'already published'].includes(outcome))).toBe(true)
    expect((await published()).filter(row => row.run === 'same')).toHaveLength(1)
    expect((await head())[0]?.seq).toBe(5n)
  })

  test('the same attempt under another job number, after it has published, publishes nothing more', async () => {
    const ready = await staged('twice')
    expect((await ready.publish(1)).outcome).toBe('published')
    expect((await ready.publish(2)).outcome).toBe('lost')
    expect((await published()).filter(row => row.run === 'twice')).toHaveLength(1)
    expect(await rows()).toHaveLength(4)
  })

  test('a retried pod whose run was followed by another publishes nothing more', async () => {
    expect((await attempt(local.url, pipeline, 'early-hhhhh')).outcome).toBe('published')
    expect((await attempt(local.url, pipeline, 'later-iiiii')).outcome).toBe('published')
    const late = await staged('early')
    expect((await late.publish()).outcome).toBe('lost')
    expect((await attempt(local.url, pipeline, 'early-jjjjj')).outcome).toBe('already published')
    expect((await published()).filter(row => row.run === 'early')).toHaveLength(1)
  })

  test('a zombie with yesterday’s base publishes nothing', async () => {
    const zombie = await staged('zombie')
    await attempt(local.url, pipeline, 'meanwhile-fffff')
    expect((await zombie.publish()).outcome).toBe('lost')
    expect(await head()).toEqual([{ seq: 9n, run: 'meanwhile' }])
  })

  test('with two head rows nobody publishes: the own write is read back', async () => {
    const ready = await staged('two-heads')
    await ask(
      local.url,
      'INSERT INTO `team-dev.apps_aggregated_etl.head__apps_per_env` (seq, version, run, attempt, held) SELECT seq, version, run, attempt, held FROM `team-dev.apps_aggregated_etl.head__apps_per_env`',
    )
    await expect(ready.publish()).rejects.toThrow(/2 rows/)
    expect((await published()).filter(row => row.run === 'two-heads')).toEqual([])
    await expect(attempt(local.url, pipeline, 'after-ggggg')).rejects.toThrow(/has 2 rows instead of one/)
  })

  /** A run that has done everything but publish. */
  async function staged(name: string) {
    const { ports, settings, request } = await worldOn(local.url, `${name}-zzzzz`)
    const plan = await makePlan(pipeline, request, ports, settings)
    const { stage } = await makeStage(plan, 1, ports, new AbortController().signal, () => undefined)
    return { publish: (number = 1) => ports.warehouse.publish([publicationOf(plan, stage)], number, async () => undefined) }
  }
})
