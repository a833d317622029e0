import { expect, test } from 'vitest'
import { text } from './support.ts'

const instructions = text('Dockerfile')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
const stages = instructions.join('\n').split(/^(?=FROM )/m)
const runtime = stages.at(-1) ?? ''

test('two stages: the shell and npm stay in the first', () => {
  expect(stages).toHaveLength(2)
  expect(stages[0]).toMatch(/^FROM \S+\/nav\.no\/node:24-dev AS dependencies$/m)
  expect(runtime).toMatch(/^FROM \S+\/nav\.no\/node:24-slim$/m)
  expect(runtime).not.toMatch(/^RUN /m)
})

test('the packages are those of the lock file that a run needs, and none of their scripts is run', () => {
  expect(stages[0]).toContain('RUN npm ci --omit=dev --ignore-scripts')
  expect(instructions.filter(line => /npm (i|install)\b/.test(line))).toEqual([])
})

test('what is copied is named: never the whole folder, no test, no fixture, no secret', () => {
  const copied = instructions.filter(line => line.startsWith('COPY ')).map(line => line.slice('COPY '.length))
  expect(copied).toEqual([
    'package.json package-lock.json ./',
    '--from=dependencies /app/node_modules ./node_modules',
    'package.json ./',
    'bin ./bin',
    'src ./src',
  ])
  const ignored = text('.dockerignore').split('\n')
  expect(ignored).toContain('*')
  expect(ignored.filter(line => line.startsWith('!'))).toEqual(['!package.json', '!package-lock.json', '!bin', '!src'])
})

test('it runs as the user of nais, not as root, and owns none of its files', () => {
  expect(runtime).toMatch(/^USER 1069:1069$/m)
  expect(instructions.join('\n')).not.toMatch(/--chown|chmod/)
})

test('the command of naisjob.yaml fits the image: node is its entry point, bin/etl.js lies in the working folder', () => {
  expect(runtime).toMatch(/^WORKDIR \/app$/m)
  expect(runtime).toMatch(/^ENTRYPOINT \["node"\]$/m)
  expect(text('naisjob.yaml')).toMatch(/command:\n {4}- node\n( {4}- '--[a-z-]+(=\d+)?'\n)* {4}- bin\/etl\.js\n/)
})

test('the runtime is the one that package.json asks for', () => {
  const { engines, devDependencies } = JSON.parse(text('package.json')) as {
    engines: { node: string }
    devDependencies: { node: string }
  }
  expect(engines.node).toBe('>=24')
  expect(devDependencies.node).toMatch(/^24\./)
})
