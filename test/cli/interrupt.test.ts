import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { etl } from '../support/etl.ts'
import { root } from '../support/project.ts'

test('Ctrl-C, which reaches every process of the terminal: the run stops before it publishes, its server after it, and the state is whole', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'etl-interrupt-'))
  try {
    const child = spawn(process.execPath, [join(root, 'bin/etl.js'), 'demo', '--dir', dir], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += text))
    const ended = new Promise<number | null>(resolve => child.once('close', resolve))
    await new Promise<void>(resolve => child.stdout.on('data', () => said.includes('Source ') && resolve()))
    process.kill(-(child.pid ?? 0), 'SIGINT')
    expect(await ended).toBe(1)
    expect(said).toContain('told to stop')
    expect(said).not.toContain('does not answer')
    const again = await etl(root, ['demo', '--dir', dir])
    expect(again.code).toBe(0)
    const versions = JSON.parse((await etl(root, ['versions', 'apps-per-env', '--dir', dir, '--json'])).stdout) as unknown[]
    expect(versions).toHaveLength(1)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('SIGTERM at any moment of a run: it stops with a sentence or has published, and never breaks', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'etl-interrupt-'))
  try {
    await etl(root, ['demo', '--dir', dir])
    for (const delay of [500, 800, 1000, 1200, 1400]) {
      const child = spawn(process.execPath, [join(root, 'bin/etl.js'), 'run', 'apps-per-env', '--dir', dir], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [out, err] = ['', '']
      child.stdout.setEncoding('utf8').on('data', text => {
        out += text
      })
      child.stderr.setEncoding('utf8').on('data', text => {
        err += text
      })
      const ended = new Promise<number | null>(resolve => child.once('close', resolve))
      await new Promise(resolve => setTimeout(resolve, delay))
      child.kill('SIGTERM')
      const code = await ended
      expect(err).toBe('')
      if (code === 0) expect(out).toContain('"event":"published"')
      else if (code === null)
        expect(out).toBe('') // before it had begun to listen, on a busy machine
      else expect(out).toContain('told to stop')
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
