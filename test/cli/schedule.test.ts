import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { seed } from '../../src/cli/seed.ts'
import { ticking } from '../../src/cli/ticking.ts'
import { type Project, project } from '../support/etl.ts'
import { type Local, startLocal } from '../support/local.ts'
import { flagship, root, worldOn } from '../support/project.ts'

describe('etl schedule', () => {
  let local: Local
  let team: Project
  beforeAll(async () => {
    local = await startLocal()
    team = await project()
    await seed(local.url, await flagship(), await worldOn(local.url), root, 'two-dates')
  })
  afterAll(async () => {
    await team.remove()
    await local.stop()
  })

  /** Starts it and waits for the line that matches; then SIGTERM, and its exit code. */
  async function until(pattern: RegExp, args: readonly string[]): Promise<{ code: number | null; said: string }> {
    const env = {
      PATH: process.env.PATH ?? '',
      BIGQUERY_EMULATOR_HOST: local.url,
      GOOGLE_CLOUD_PROJECT: 'team-dev',
      ETL_WAIT_FACTOR: '0.01',
    }
    const child = spawn(process.execPath, [join(root, 'bin', 'etl.js'), 'schedule', ...args], {
      cwd: team.dir,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    const seen = new Promise<void>((resolve, reject) => {
      child.once('exit', code => reject(new Error(`it ended with ${code}: ${said}`)))
      child.stdout.setEncoding('utf8').on('data', text => {
        said += text
        if (pattern.test(said)) resolve()
      })
    })
    await seen
    child.removeAllListeners('exit')
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    return { code: await ended, said }
  }

  test('says when each pipeline runs next, and ends cleanly on SIGTERM', async () => {
    await team.write({
      'src/pipelines/apps-per-env.ts': `export { default } from '${join(root, 'src/pipelines/apps-per-env.ts')}'\n`,
    })
    const { code, said } = await until(/next at/, [])
    expect(code).toBe(0)
    expect(said).toMatch(/apps-per-env: next at \d{4}-\d\d-\d\d 06:30 Europe\/Oslo/)
  })
})

describe('ticks', () => {
  const pipelines = async () => [{ ...(await flagship()), schedule: '*/5 * * * *' }]
  afterEach(() => void vi.useRealTimers())

  test('come at the minutes of the schedule', async () => {
    const own = await pipelines()
    vi.useFakeTimers({ now: new Date('2026-11-21T05:29:30Z') })
    const seen: string[] = []
    const stop = ticking(own, async () => void seen.push(new Date().toISOString().slice(11, 16)))
    await vi.advanceTimersByTimeAsync(11 * 60_000)
    await stop()
    await vi.advanceTimersByTimeAsync(11 * 60_000)
    expect(seen).toEqual(['05:30', '05:35', '05:40'])
  })

  test('that come while the last run is still going are left out', async () => {
    const own = await pipelines()
    vi.useFakeTimers({ now: new Date('2026-11-21T05:29:30Z') })
    let [going, most, ticks] = [0, 0, 0]
    const stop = ticking(own, async () => {
      ticks++
      most = Math.max(most, ++going)
      await new Promise(resolve => setTimeout(resolve, 7 * 60_000))
      going--
    })
    await vi.advanceTimersByTimeAsync(21 * 60_000)
    await stop()
    expect({ most, ticks }).toEqual({ most: 1, ticks: 3 })
  })
})
