import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../src/cli/index.ts'
import { etl } from './support/etl.ts'
import { root } from './support/project.ts'

const text = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`),
].filter(path => path.endsWith('.md'))

describe('the docs', () => {
  test('show the flagship as it is', () => {
    expect(text('README.md')).toContain(`\`\`\`ts\n${text('src/pipelines/apps-per-env.ts')}\`\`\``)
  })

  test.each(pages)('%s links to files that exist', page => {
    const links = [...text(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(match => match[1] ?? '')
    expect(links.filter(link => !existsSync(join(root, dirname(page), link)))).toEqual([])
  })

  test.each(commands.map(command => command.name))('somewhere tell of `%s`', name => {
    const told = pages.some(page => new RegExp(`(npm run etl -- |npm |etl |\`)${name}\\b`).test(text(page)))
    expect(told).toBe(true)
  })

  test('name commands and npm scripts that exist', () => {
    const scripts = Object.keys((JSON.parse(text('package.json')) as { scripts: Record<string, string> }).scripts)
    const known = new Set(commands.map(command => command.name))
    for (const page of pages) {
      for (const [, name] of text(page).matchAll(/npm run etl -- ([a-z]+)/g)) expect(known, page).toContain(name)
      for (const [, name] of text(page).matchAll(/npm run ([a-z:]+)/g)) expect(scripts, page).toContain(name)
    }
  })
})

describe('help', () => {
  test('without arguments lists every command', async () => {
    const { code, stdout } = await etl(root, [])
    expect(code).toBe(0)
    for (const command of commands) expect(stdout).toContain(command.summary)
  })

  test.each(commands)('of $name has every flag and an example', async ({ name, options, help }) => {
    for (const flag of Object.keys(options)) expect(help).toContain(`--${flag}`)
    expect(help).toMatch(/\nExamples\n {2}npm (run etl -- |start)/)
    expect((await etl(root, [name, '--help'])).stdout).toContain(help)
  })
})
