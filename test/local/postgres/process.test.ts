import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startTestPostgres } from '../../support/postgres.ts'

const module = fileURLToPath(new URL('../../../src/local/postgres/process.ts', import.meta.url))

test('a Postgres of its own answers, takes only its password, and leaves nothing behind', async () => {
  // Others start theirs in the usual place at the same time.
  const own = await mkdtemp(join(tmpdir(), 'etl-process-'))
  await chmod(own, 0o755)
  const usual = process.env.TMPDIR
  process.env.TMPDIR = own
  try {
    const postgres = await startTestPostgres()
    try {
      expect(readdirSync(own)).toEqual([expect.stringMatching(/^etl-postgres-/)])
      const { rows } = await postgres.run("SELECT 'æøå' AS tekst, current_setting('TimeZone') AS sone")
      expect(rows).toEqual([{ tekst: 'æøå', sone: 'UTC' }])
      await expect(postgres.session('postgres', 'etl')).rejects.toThrow(/password authentication failed/)
    } finally {
      await postgres.stop()
    }
    expect(readdirSync(own)).toEqual([])
  } finally {
    if (usual === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = usual
    await rm(own, { recursive: true, force: true })
  }
})

test('it ends with its parent, also where that one is killed, and its data goes', async () => {
  const code = `const { startPostgres } = await import(${JSON.stringify(module)}); const { port } = await startPostgres(); console.log('port ' + port); setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(parent.stdout, 'data')) as [Buffer]
  const port = /port (\d+)/.exec(said.toString())?.[1]
  const processes = () =>
    execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter(line => line.includes(`port=${port}`) && !line.startsWith('ps'))
  expect(processes().length).toBeGreaterThan(0)
  parent.kill('SIGKILL')
  for (let tried = 0; tried < 200 && processes().length > 0; tried++) await new Promise(resolve => setTimeout(resolve, 50))
  expect(processes()).toEqual([])
})
