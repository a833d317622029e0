import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The rooms: which other rooms a room may import (types count), and which packages. '*' in packages: any. */
const rooms: Record<string, { rooms: string[]; packages: string[] }> = {
  main: { rooms: ['cli', 'config', 'wire', 'domain'], packages: [] },
  config: { rooms: ['domain'], packages: ['zod'] },
  wire: { rooms: ['config', 'adapters', 'cli', 'ports', 'domain', 'engine'], packages: [] },
  index: { rooms: ['domain'], packages: [] },
  danfo: { rooms: ['domain'], packages: ['danfojs-node'] },
  testing: { rooms: ['domain', 'adapters', 'googlesql', 'local'], packages: ['vitest', 'fast-check', 'zod'] },
  cli: { rooms: ['engine', 'nais', 'ports', 'domain'], packages: ['node-cron', 'zod'] },
  pipelines: { rooms: ['index', 'danfo'], packages: ['zod'] },
  domain: { rooms: [], packages: ['zod'] },
  ports: { rooms: ['domain'], packages: [] },
  engine: { rooms: ['domain', 'ports'], packages: ['croner'] },
  adapters: { rooms: ['domain', 'ports'], packages: ['*'] },
  local: { rooms: ['googlesql'], packages: ['@duckdb/node-api', 'pg'] },
  googlesql: { rooms: [], packages: ['@grpc/grpc-js', 'protobufjs', '@fivetrandevelopers/zetasql'] },
  nais: { rooms: ['domain'], packages: [] },
}

/** Files that may be longer than 250 lines, each with its reason. */
const long: Record<string, string> = {}

type Import = { file: string; room: string; target: string }
const files = sources(join(root, 'src'))
const imports = files.flatMap(importsOf)

describe('the house', () => {
  test('has no room without a line in the table', () => {
    expect([...new Set(files.map(roomOf))].filter(room => rooms[room] === undefined)).toEqual([])
  })

  test('every import goes to a room that the table allows', () => {
    const wrong = imports.filter(({ room, target }) => {
      const allowed = rooms[room]
      if (allowed === undefined) return true
      if (target.startsWith('node:')) return false
      if (target.startsWith('room:')) return target !== `room:${room}` && !allowed.rooms.includes(target.slice(5))
      return !allowed.packages.includes('*') && !allowed.packages.includes(target)
    })
    expect(wrong).toEqual([])
  })

  test('no adapter imports another', () => {
    const system = (file: string) => relative(join(root, 'src', 'adapters'), file).split('/')[0]
    const crossing = filePairs().filter(
      ({ from, to }) => roomOf(from) === 'adapters' && roomOf(to) === 'adapters' && system(from) !== system(to),
    )
    expect(crossing).toEqual([])
  })

  test('no file imports itself by a detour, types included', () => {
    expect(cycles()).toEqual([])
  })

  test('only config reads the environment', () => {
    // The local server and the evaluator are processes of their own and read none either.
    expect(files.filter(file => /process\.env\b/.test(code(file)) && roomOf(file) !== 'config').map(short)).toEqual([])
  })

  test('only clocks ask for the time', () => {
    const asking = files.filter(file => /\bDate\.now\(|new Date\(\)|performance\.now\(/.test(code(file))).map(short)
    expect(asking.filter(file => !/(^|\/)clock\.ts$/.test(file))).toEqual([])
  })

  test('only main decides the exit code', () => {
    const deciding = files.filter(file => /process\.exit(Code\b|\()/.test(code(file))).map(short)
    expect(deciding.filter(file => file !== 'src/main.ts' && file !== 'src/local/main.ts')).toEqual([])
  })

  test('a file over 250 lines has a reason', () => {
    const over = files.filter(file => readFileSync(file, 'utf8').split('\n').length > 251).map(short)
    expect(over.filter(file => long[file] === undefined)).toEqual([])
  })

  test('the median file has fewer than 100 lines', () => {
    const sizes = files.map(file => readFileSync(file, 'utf8').split('\n').length).sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(100)
  })
})

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sources(path) : entry.name.endsWith('.ts') ? [path] : []
  })
}

function roomOf(file: string): string {
  return relative(join(root, 'src'), file).split('/')[0]?.replace(/\.ts$/, '') ?? ''
}

function short(file: string): string {
  return relative(root, file)
}

/** The text without comments and strings that stand alone on a line, so that words in prose don't count. */
function code(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
}

function specifiers(file: string): string[] {
  const text = code(file)
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\(\s*|^import\s+)'([^']+)'/gm)].map(match => match[1] ?? '')
}

function resolved(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(file), specifier)
  const own: Record<string, string> = { 'nais-etl': 'index.ts', 'nais-etl/danfo': 'danfo.ts', 'nais-etl/testing': 'testing.ts' }
  return own[specifier] === undefined ? undefined : join(root, 'src', own[specifier])
}

function importsOf(file: string): Import[] {
  return specifiers(file).map(specifier => {
    const path = resolved(file, specifier)
    const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]
    return {
      file: short(file),
      room: roomOf(file),
      target: path !== undefined ? `room:${roomOf(path)}` : specifier.startsWith('node:') ? specifier : (name ?? ''),
    }
  })
}

function filePairs(): { from: string; to: string }[] {
  return files.flatMap(from =>
    specifiers(from).flatMap(specifier => {
      const to = resolved(from, specifier)
      return to === undefined ? [] : [{ from, to }]
    }),
  )
}

/** Every file that can reach itself. */
function cycles(): string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of filePairs()) next.set(from, [...(next.get(from) ?? []), to])
  const reaches = (start: string) => {
    const seen = new Set<string>()
    const open = [...(next.get(start) ?? [])]
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (file === start) return true
      if (seen.has(file)) continue
      seen.add(file)
      open.push(...(next.get(file) ?? []))
    }
    return false
  }
  return files.filter(reaches).map(short)
}
