import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { megabytes } from '../smoke/check.ts'
import { checks } from '../smoke/checks/index.ts'
import { expiring, isOurs } from '../smoke/names.ts'
import { heldScript } from '../smoke/overlap.ts'
import { publishing, target } from '../smoke/target.ts'
import { createHead, createHistory, createRuns, createTarget } from '../src/adapters/bigquery/bootstrap.ts'
import { type Local, startLocal } from './support/local.ts'
import { root } from './support/project.ts'

const names = { project: 'p', dataset: 'etl_smoke', token: '0123abcd', expires: '2026-11-26T00:00:00Z' }
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-smoke-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The command, a process of its own. */
function smoke(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  hear: (child: ChildProcess, line: string) => void = () => {},
) {
  const child = spawn(process.execPath, [join(root, 'smoke', 'run.ts'), ...args], {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ETL_WAIT_FACTOR: '0.1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
    hear(child, text)
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve =>
    child.once('close', code => resolve({ code, stdout, stderr })),
  )
}

/** What our local server can't do: with a new one of these it says so, and this list grows shorter. */
const unable = [5, 6, 11, 12, 13, 15, 25]
const able = [1, 2, 3, 4, 7, 8, 9, 10, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24]

describe('against the local server', () => {
  let local: Local
  beforeAll(async () => {
    local = await startLocal()
  })
  afterAll(() => local.stop())

  test('each check holds or is said not to be possible there, the report has them all, and nothing is left', async () => {
    const out = join(folder, 'report.md')
    const { code, stdout, stderr } = await smoke([
      '--endpoint',
      local.url,
      '--project',
      'p',
      '--dataset',
      'etl_smoke',
      '--out',
      out,
    ])
    expect(stderr).toBe('')
    const lines = stdout.split('\n').filter(line => /^[✔✘–] \d+ /.test(line))
    const marked = (mark: string) => lines.filter(line => line.startsWith(mark)).map(line => Number(line.split(' ')[1]))
    expect(lines.filter(line => line.startsWith('✘'))).toEqual([])
    expect({ able: marked('✔'), unable: marked('–') }).toEqual({ able, unable })
    for (const line of lines.filter(line => line.startsWith('–'))) expect(line).toContain('not on the local server')
    expect(code).toBe(0)

    const report = await readFile(out, 'utf8')
    expect(report).toContain(`${able.length} ✔, 0 ✘, ${unable.length} –`)
    expect(report).toContain('This is **not** the service')
    for (const line of lines) expect(report).toMatch(new RegExp(`^\\| ${line.split(' ')[1]} \\| ${line[0]} \\| `, 'm'))

    for (const dataset of ['etl_smoke', 'etl_smoke_etl'])
      expect((await local.call('GET', `/p/datasets/${dataset}/tables`)).body.tables ?? []).toEqual([])
  }, 300_000)

  test('a check that does not hold is ✘, says what came, and the command fails', async () => {
    await local.call('POST', '/p/datasets', { datasetReference: { projectId: 'p', datasetId: 'etl_smoke2' } })
    await local.call('POST', '/p/datasets', { datasetReference: { projectId: 'p', datasetId: 'etl_smoke2_etl' } })
    await local.fault({ kind: 'unavailable', method: 'POST', match: '/queries$', times: 9 })
    const args = ['--endpoint', local.url, '--project', 'p', '--dataset', 'etl_smoke2', '--only', '19,14']
    const { code, stdout } = await smoke([...args, '--out', join(folder, 'failed.md')])
    expect(stdout).toMatch(/^✘ 19 .*: 503 backendError/m)
    expect(stdout).toMatch(/^✔ 14 /m)
    expect(code).toBe(1)
    expect(await readFile(join(folder, 'failed.md'), 'utf8')).toMatch(/## What ✘ means\n\n- 19: /)
  }, 120_000)
})

describe('stopped in the middle', () => {
  let local: Local
  beforeAll(async () => {
    local = await startLocal()
  })
  afterAll(() => local.stop())

  /** Sends the signal while check 22 runs, with tables of check 3 and its own in the world. */
  async function stopped(signal: NodeJS.Signals) {
    const args = ['--endpoint', local.url, '--project', 'p', '--only', '3,22,14', '--out', join(folder, 'stopped.md')]
    return smoke(args, {}, (child, line) => {
      if (line.includes('✔ 3 ')) child.kill(signal)
    })
  }

  /** The tables that are there, with their expirations. */
  async function expirations(): Promise<readonly unknown[]> {
    const found: unknown[] = []
    for (const dataset of ['etl_smoke', 'etl_smoke_etl']) {
      const path = `/p/datasets/${dataset}/tables`
      const { tables = [] } = (await local.call('GET', path)).body as { tables?: { tableReference: { tableId: string } }[] }
      for (const { tableReference } of tables)
        found.push((await local.call('GET', `${path}/${tableReference.tableId}`)).body.expirationTime)
    }
    return found
  }

  test('by SIGTERM it ends its check, skips the others, deletes what it made and fails', async () => {
    const { code, stdout } = await stopped('SIGTERM')
    expect(stdout).toMatch(/^– 14 .*: stopped$/m)
    expect(code).toBe(1)
    expect(await expirations()).toEqual([])
  }, 120_000)

  test('by SIGKILL it leaves tables that expire within a day', async () => {
    expect((await stopped('SIGKILL')).code).toBe(null)
    const found = await expirations()
    expect(found.length).toBeGreaterThan(4)
    const aDayOn = Date.now() + 24 * 60 * 60 * 1000
    expect(found.filter(time => !(Number(time) > 0 && Number(time) <= aDayOn))).toEqual([])
  }, 120_000)
})

describe('before anything is sent', () => {
  let requests = 0
  const server = createServer((_, response) => {
    requests += 1
    response.writeHead(500).end()
  })
  beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => new Promise(resolve => server.close(resolve)))
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  test('--dry prints every check with its statements and costs, and sends nothing', async () => {
    const { code, stdout } = await smoke(['--dry', '--endpoint', url(), '--project', 'p', '--dataset', 'd1'])
    expect(code).toBe(0)
    const numbers = [...stdout.matchAll(/^(\d+) .*\n {2}does {7}/gm)].map(match => Number(match[1]))
    expect(numbers).toEqual([...able, ...unable].sort((a, b) => a - b))
    expect(stdout.match(/^ {2}verifies /gm)).toHaveLength(numbers.length)
    expect(stdout.match(/^ {2}costs {6}at most \d+ MB/gm)).toHaveLength(numbers.length)
    expect(stdout).toContain('TRUNCATE TABLE `p.d1.smoke_')
    expect(requests).toBe(0)
  })

  test.each([
    ['no dataset', ['--project', 'p'], 'which dataset?'],
    ['no project', ['--dataset', 'd1'], 'which project?'],
    ['an unknown check', ['--dry', '--only', '99'], 'there is no such check'],
    ['an unknown flag', ['--datset', 'd1'], "Unknown option '--datset'"],
  ])('%s is refused in a sentence', async (_, args, sentence) => {
    const { code, stdout, stderr } = await smoke(args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(sentence)
  })

  test('a real project wants --yes', async () => {
    // Were anything sent, the credentials that the variable names would be looked for, and their absence told.
    const { code, stdout, stderr } = await smoke(['--project', 'p', '--dataset', 'd1'], {
      GOOGLE_APPLICATION_CREDENTIALS: '/nowhere',
    })
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(/Nothing was sent\. Add --yes/)
  })
})

test('docs/smoke.md has a row for each check, in its own words', async () => {
  const doc = await readFile(join(root, 'docs', 'smoke.md'), 'utf8')
  const rows = checks.map(({ number, title, otherwise }) => `| ${number} | ${title} | ${otherwise} |`)
  expect(doc.split('\n').filter(line => /^\| \d+ \|/.test(line))).toEqual(rows)
  expect(doc).toContain(`at most ${megabytes(checks)} MB`)
})

describe('what it makes', () => {
  test('has an expiration, whatever production’s statement says', () => {
    const { pipeline, tables } = target(names, 'x', 'partition')
    for (const text of [
      createRuns(tables),
      createHead(tables),
      createTarget(pipeline, tables),
      createHistory(pipeline, tables),
    ]) {
      const made = expiring(names, text)
      expect(made.match(/expiration_timestamp = TIMESTAMP '2026-11-26 00:00:00\+00'/g)).toHaveLength(1)
      expect(made.replace(/(, )?expiration_timestamp = TIMESTAMP '[^']*'/, '').replace(' OPTIONS ()', '')).toBe(text)
    }
    expect(() => expiring(names, 'INSERT INTO t (n) VALUES (1)')).toThrow('no CREATE TABLE')
  })

  test('is told from everything else by its name', () => {
    expect(['smoke_0123abcd_c1', 'stage__smoke_0123abcd_c20__bbbb20'].map(name => isOurs(names, name))).toEqual([true, true])
    const others = [
      'apps_per_env',
      'runs',
      'smoke_ffffffff_c1',
      'x_smoke_0123abcd_c1',
      'smoke_0123abcd',
      'head__smoke_0123abcd_c1',
    ]
    expect(others.filter(name => isOurs(names, name))).toEqual([])
  })

  test('is held on the service by work before the COMMIT, and the script is production’s otherwise', () => {
    const { sql } = publishing(target(names, 'x', 'replace'), { number: 1 }, 'job')
    const held = heldScript(sql, false).split('\n')
    expect(held.filter(line => !line.includes('hold'))).toEqual(sql.split('\n'))
    const work = held.filter(line => line.includes('SET hold'))
    expect(work.length).toBeGreaterThan(20)
    expect(held[held.lastIndexOf(work.at(-1) ?? '') + 1]).toBe('  COMMIT TRANSACTION;')
    expect(heldScript(sql, true)).toBe(sql)
  })
})
