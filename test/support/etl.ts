import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './project.ts'

/** A team's own repository: some files, and nais-etl and zod as packages. */
export type Project = {
  readonly dir: string
  write(files: Readonly<Record<string, string>>): Promise<void>
  remove(): Promise<void>
}

export async function project(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  const dir = await mkdtemp(join(tmpdir(), 'etl-project-'))
  await mkdir(join(dir, 'node_modules'))
  await symlink(root, join(dir, 'node_modules', 'nais-etl'))
  for (const name of ['zod', 'vitest']) await symlink(join(root, 'node_modules', name), join(dir, 'node_modules', name))
  const write = async (more: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(more)) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await writeFile(join(dir, path), text)
    }
  }
  await write({ 'package.json': '{ "name": "team", "type": "module" }', ...files })
  return { dir, write, remove: () => rm(dir, { recursive: true, force: true }) }
}

export type Said = { readonly code: number | null; readonly stdout: string; readonly stderr: string; readonly all: string }

/** Runs the command line as a person or a Job would: a process of its own, without a terminal. */
export function etl(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  const world = { PATH, HOME, NODE_COMPILE_CACHE, ETL_WAIT_FACTOR: '0.01', ...env }
  const child = spawn(process.execPath, [join(root, 'bin', 'etl.js'), ...args], {
    cwd,
    env: world,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  return new Promise(resolve => child.once('close', code => resolve({ code, stdout, stderr, all: stdout + stderr })))
}
