import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/command.ts'
import { make } from '../../src/cli/new.ts'
import { scaffold } from '../../src/cli/scaffold.ts'

// Inside of the project, so that 'nais-etl' is found by the package's own name.
const root = resolve('.etl')
let project = ''
beforeAll(async () => {
  await mkdir(root, { recursive: true })
  project = await mkdtemp(join(root, 'new-'))
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['src', 'test'], exclude: [] }),
  )
})
afterAll(() => rm(project, { recursive: true }))

const lines: string[] = []
const create = (name: string) =>
  make.run({ words: [name], root: project, out: { line: (text = '') => lines.push(text), data: () => {} } } as unknown as Context)

function bin(name: string, ...args: string[]): { status: number | null; output: string } {
  const ran = spawnSync(process.execPath, [resolve('node_modules', name), ...args], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status: ran.status, output: `${ran.stdout}${ran.stderr}` }
}
const vitest = (name: string) => bin('vitest/vitest.mjs', 'run', '--root', '.', name)
const longestName = `n${'-abcdefghijk'.repeat(3)}`

describe('etl new', () => {
  test('writes a pipeline that compiles, and a test that is red until the transform is written', async () => {
    expect(await create('open-cases')).toBe(0)
    await create(longestName)
    expect(lines.slice(0, 4)).toStrictEqual(Object.keys(scaffold('open-cases')).map(path => `wrote ${path}`))
    expect(bin('typescript/bin/tsc', '--noEmit', '-p', '.')).toStrictEqual({ status: 0, output: '' })
    expect(
      bin('@biomejs/biome/bin/biome', 'check', '--config-path', resolve('biome.json'), '--vcs-enabled=false', 'src', 'test')
        .output,
    ).toContain('No fixes applied')

    const red = vitest('open-cases')
    expect(red.status).toBe(1)
    expect(red.output).toContain('expected 3 rows, got 0: 3 missing (-), 0 too many (+)')
    expect(red.output).toContain('- 2024-01-31  open    2')

    const path = join(project, 'src/pipelines/open-cases.ts')
    const written = (await readFile(path, 'utf8')).replace('_rows:', 'rows:').replace(
      'return []',
      `const antall = (status: string) => rows.filter(row => row.status === status).length
  return [...new Set(rows.map(row => row.status))].map(status => ({ dato: rows[0]?.dato ?? '', status, antall: antall(status) }))`,
    )
    await writeFile(path, written)
    const green = vitest('open-cases')
    expect(green.output).toContain('1 passed')
    expect(green.status).toBe(0)
  }, 60_000)

  test('touches no file that exists', async () => {
    const other = join(project, 'test/pipelines/taken.test.ts')
    await mkdir(join(project, 'test/pipelines'), { recursive: true })
    await writeFile(other, 'mine')
    await expect(create('taken')).rejects.toThrow('test/pipelines/taken.test.ts exists already. Hint: choose another name')
    expect(existsSync(join(project, 'src/pipelines/taken.ts'))).toBe(false)
    expect(await readFile(other, 'utf8')).toBe('mine')
    await rm(other)
  })

  test.each([
    '',
    'Open',
    'open_cases',
    'open--cases',
    '-open',
    'open-',
    '../open',
    'åpne',
    '1open',
    'a',
    'datastream-x',
    'x'.repeat(41),
  ])('refuses the name %j', async name => {
    await expect(create(name)).rejects.toMatchObject({ kind: 'usage', hint: expect.any(String) })
  })
})
