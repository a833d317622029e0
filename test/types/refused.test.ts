import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

// Each file of the folder is one mistake of an author's; its comment `expect:` is the sentence that the compiler must show. One run for all.
const folder = 'test/types/refused'
const files = readdirSync(folder).filter(name => name.endsWith('.ts'))
const errors = new Map<string, string>()

beforeAll(() => {
  const tsc = resolve('node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', folder], { encoding: 'utf8' })
  let file = ''
  for (const line of stdout.split('\n')) {
    file = /^test\/types\/refused\/([\w-]+\.ts)\(/.exec(line)?.[1] ?? (line.startsWith(' ') ? file : 'elsewhere')
    if (line !== '') errors.set(file, `${errors.get(file) ?? ''}${line}\n`)
  }
})

describe('the compiler refuses', () => {
  test.each(files)('%s, in a sentence', name => {
    const sentence = /^\/\/ expect: (.+)$/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1]
    expect(sentence).toBeDefined()
    expect(errors.get(name)).toContain(sentence)
  })

  test('nothing besides', () => {
    expect([...errors.keys()].filter(name => !files.includes(name))).toStrictEqual([])
  })
})
