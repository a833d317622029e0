import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { etl } from '../support/etl.ts'
import { root } from '../support/project.ts'

// What a newcomer types, in this order; the state lies in one folder, each command starts the local BigQuery on it.
describe('the commands on a folder', () => {
  let dir: string
  const on = (...args: string[]) => etl(root, [...args, '--dir', dir])

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'etl-commands-'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  test('run --local leaves nothing behind', async () => {
    // A temporary folder of its own: other tests' commands use the system's at the same time.
    const temporary = await mkdtemp(join(tmpdir(), 'etl-own-'))
    const said = await etl(root, ['run', 'apps-per-env', '--local', '--case', 'two-dates'], { TMPDIR: temporary })
    expect(said.code).toBe(0)
    const lines = said.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(line => line.message)).toEqual([
      'Run planned',
      'Tables made',
      'Rows read',
      'Slice transformed',
      'Result staged',
      'Result audited',
      'Version published',
    ])
    expect(lines.at(-1)).toMatchObject({ level: 'info', pipeline: 'apps-per-env', rows: 4, slices: 2, event: 'published' })
    expect((await readdir(temporary)).filter(name => name.startsWith('nais-etl-'))).toEqual([])
    await rm(temporary, { recursive: true })
  })

  test('plan changes nothing and prints the statements that run executes', async () => {
    const said = await etl(root, ['plan', 'apps-per-env', '--local', '--sql'])
    expect(said.code).toBe(0)
    for (const part of [
      '-- read apps\nSELECT',
      '-- bootstrap\nCREATE TABLE IF NOT EXISTS',
      '-- audit\nSELECT',
      '-- publish\nDECLARE outcome',
      'nothing published yet',
      '  replay    until 20',
    ]) {
      expect(said.stdout).toContain(part)
    }
  })

  test('without a dataset, read and versions say so', async () => {
    for (const command of ['read', 'versions']) {
      const said = await on(command, 'apps-per-env')
      expect(said.code).toBe(1)
      expect(said.stderr).toContain('nothing has been published yet')
    }
  })

  test('npm start publishes; versions, read and list show it, as a table and as JSON', async () => {
    const started = await etl(dir, ['list'])
    expect(started.stdout).toContain('No pipelines yet.')
    const demo = await on('demo')
    expect(demo.code).toBe(0)
    expect(demo.stdout).toMatch(/2022-01-20 {2}prod {2}on_prem +2 {2}/)
    const [, version] = /version (\S+)\n/.exec(demo.stdout) ?? []
    const versions = JSON.parse((await on('versions', 'apps-per-env', '--json')).stdout) as {
      version: string
      rows: number
      slices: string[]
    }[]
    expect(versions[0]).toMatchObject({ version, rows: 4, slices: ['2022-01-20'] })
    expect((await on('versions', 'apps-per-env')).stdout).toContain(version)
    const rows = JSON.parse((await on('read', 'apps-per-env', '--json', '--limit', '2')).stdout) as Record<string, unknown>[]
    expect(rows).toEqual([
      { dato: '2022-01-20', env: 'dev', datacenter: 'gcp', antall_apper: 1, version },
      { dato: '2022-01-20', env: 'dev', datacenter: 'on_prem', antall_apper: 2, version },
    ])
    const list = JSON.parse((await etl(root, ['list', '--json'])).stdout) as { name: string; to: string }[]
    expect(list).toContainEqual(expect.objectContaining({ name: 'apps-per-env', to: 'apps_aggregated.apps_per_env' }))
  })

  test('a reader that has seen enough is no failure', async () => {
    const command = `"${process.execPath}" "${join(root, 'bin/etl.js')}" plan apps-per-env --local --sql | true; exit "\${PIPESTATUS[0]}"`
    const said = await new Promise<{ code: number; stderr: string }>(resolve =>
      execFile('bash', ['-c', command], { cwd: root }, (error, _, stderr) => resolve({ code: Number(error?.code ?? 0), stderr })),
    )
    expect(said).toEqual({ code: 0, stderr: '' })
  })

  test('manifest --check holds for this repository', async () => {
    expect((await etl(root, ['manifest', '--check'])).code).toBe(0)
  })
})
