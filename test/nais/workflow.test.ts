import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root, text } from './support.ts'

type Step = {
  uses?: string
  run?: string
  with?: Record<string, unknown>
  env?: Record<string, string>
  id?: string
  if?: string
}
type Job = {
  needs?: string | string[]
  if?: string
  permissions: Record<string, string>
  steps: Step[]
  'continue-on-error'?: boolean
}
type Workflow = { on: Record<string, unknown>; permissions: Record<string, string>; jobs: Record<string, Job> }

const source = text('.github/workflows/main.yaml')
const workflow = parse(source) as Workflow
const job = (name: string): Job => workflow.jobs[name] ?? { permissions: {}, steps: [] }
const needs = (name: string): string[] => [job(name).needs ?? []].flat()

test('install, check, manifests, test: in this order, in one job', () => {
  const commands = job('test').steps.flatMap(step => step.run ?? [])
  const wanted = ['npm ci', 'npm run check', 'npm run etl -- manifest --check', 'npm test']
  expect(commands.filter(command => wanted.includes(command))).toEqual(wanted)
})

test('nothing goes on after red: build needs the tests and the secret scan, dev needs the image, prod needs dev', () => {
  expect(needs('build')).toEqual(['secrets', 'test'])
  expect(needs('deploy-dev')).toEqual(['build'])
  expect(needs('deploy-prod')).toEqual(['build', 'deploy-dev'])
  expect(source).not.toMatch(/continue-on-error|always\(\)|\|\| true/)
})

test('a pull request is tested and never built or deployed', () => {
  expect(Object.keys(workflow.on)).toEqual(['push', 'pull_request'])
  expect(job('build').if).toBe("github.event_name == 'push' && github.ref == 'refs/heads/main'")
})

test('a job has the rights it needs and no more', () => {
  expect(workflow.permissions).toEqual({})
  expect(Object.fromEntries(Object.entries(workflow.jobs).map(([name, { permissions }]) => [name, permissions]))).toEqual({
    secrets: { contents: 'read' },
    test: { contents: 'read' },
    build: { contents: 'read', 'id-token': 'write' },
    'deploy-dev': { contents: 'read', 'id-token': 'write' },
    'deploy-prod': { contents: 'read', 'id-token': 'write' },
  })
  expect(source).not.toContain('secrets.')
})

test('every action is pinned to a commit, with its tag beside it', () => {
  const uses = source.split('\n').filter(line => line.includes('uses:'))
  expect(uses.length).toBeGreaterThan(5)
  for (const line of uses) expect(line).toMatch(/uses: [\w./-]+@[0-9a-f]{40} # v\d/)
})

describe.each([
  ['dev', 'deploy-dev'],
  ['prod', 'deploy-prod'],
])('the deployment to %s', (environment, name) => {
  const step = job(name).steps.at(-1)

  test('takes the generated files that lie there, all of them, and the image just built', () => {
    const generated = readdirSync(root).filter(file =>
      [`naisjob.yaml`, `naisjob.${environment}.yaml`, 'alerts.yaml'].includes(file),
    )
    expect(step?.env?.RESOURCE?.split(',').sort()).toEqual(generated.sort())
    expect(step?.env?.WORKLOAD_IMAGE).toMatch(/^\$\{\{ needs\.build\.outputs\.image }}$/)
    expect(step?.env?.VAR).toMatch(/^image=\$\{\{ needs\.build\.outputs\.image }}$/)
    expect(step?.env?.CLUSTER).toBe(`${environment}-gcp`)
  })

  test('is done by the team that the manifests name', () => {
    const team = /^ {4}team: (\S+)$/m.exec(text('naisjob.yaml'))?.[1]
    expect(job('build').steps.at(-1)?.with?.team).toBe(team)
  })
})

test('new versions of packages and actions are proposed, after a few days', () => {
  const { updates } = parse(text('.github/dependabot.yml')) as { updates: Record<string, unknown>[] }
  expect(updates.map(update => update['package-ecosystem'])).toEqual(['npm', 'github-actions'])
  for (const update of updates) expect(update.cooldown).toEqual({ 'default-days': 3 })
})
