import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seed } from '../src/cli/seed.ts'
import { EtlError } from '../src/domain/error.ts'
import type { NamedPipeline } from '../src/domain/pipeline.ts'
import { run } from '../src/engine/run.ts'
import { type Local, startLocal } from './support/local.ts'
import { ask, attempt, flagship, root, worldOn } from './support/project.ts'

// Every row passes over HTTP between two processes: without the server there is no run, and what it had stays.
describe('a server that is killed in the middle of a run', () => {
  let dir: string
  let pipeline: NamedPipeline
  let local: Local

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'etl-killed-'))
    pipeline = await flagship()
    local = await startLocal({ dir })
    await seed(local.url, pipeline, await worldOn(local.url), root, 'two-dates')
    await attempt(local.url, pipeline, 'first-aaaaa')
  })
  afterAll(async () => {
    await local.stop()
    await rm(dir, { recursive: true, force: true })
  })

  test.each(['reading', 'staged', 'audited'] as const)(
    'after it was %s: the run fails with a sentence, and the last version is whole',
    async moment => {
      const { ports, settings, request } = await worldOn(local.url, `killed-${moment}-bbbbb`)
      let killed: Promise<void> | undefined
      const watching = {
        ...ports,
        report: {
          event(event: { kind: string }) {
            if (event.kind === moment) killed ??= local.kill()
          },
        },
      }
      const failure = await run(pipeline, request, watching, settings, new AbortController().signal).catch(
        (error: unknown) => error,
      )
      await killed
      expect(failure).toBeInstanceOf(EtlError)
      expect(failure).toMatchObject({ kind: 'unavailable', where: { pipeline: 'apps-per-env' } })
      expect((failure as EtlError).message).toContain(`${local.url} does not answer`)

      local = await startLocal({ dir })
      expect(await ask(local.url, 'SELECT run, seq FROM `team-dev.apps_aggregated_etl.head__apps_per_env`')).toEqual([
        { run: 'first', seq: 1n },
      ])
      expect(await ask(local.url, 'SELECT COUNT(*) AS n FROM `team-dev.apps_aggregated.apps_per_env`')).toEqual([{ n: 4n }])
    },
  )

  test('the next run publishes', async () => {
    expect(await attempt(local.url, pipeline, 'next-ccccc')).toMatchObject({ outcome: 'published', rows: 4 })
  })

  test('a retried pod takes up the run that was cut: one version', async () => {
    expect(await attempt(local.url, pipeline, 'killed-staged-ddddd')).toMatchObject({ outcome: 'published' })
    expect(await attempt(local.url, pipeline, 'killed-staged-eeeee')).toMatchObject({ outcome: 'already published' })
  })
})
