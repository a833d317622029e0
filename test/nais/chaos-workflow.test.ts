import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { text } from './support.ts'

const source = text('.github/workflows/chaos.yaml')
const workflow = parse(source) as {
  on: Record<string, unknown>
  permissions: Record<string, string>
  jobs: { chaos: { permissions: Record<string, string>; steps: { run?: string }[] } }
}

test('the proof runs every week and on demand, both commands, with the right to read the code only', () => {
  expect(Object.keys(workflow.on)).toEqual(['schedule', 'workflow_dispatch'])
  expect([workflow.permissions, workflow.jobs.chaos.permissions]).toEqual([{}, { contents: 'read' }])
  const commands = workflow.jobs.chaos.steps.flatMap(({ run }) => run ?? [])
  expect(commands).toEqual(['npm ci', 'npm run chaos -- --mutants', 'npm run chaos -- --runs "$RUNS" --seed "$SEED" --mode all'])
  expect(source).not.toMatch(/continue-on-error|always\(\)|\|\| true|secrets\./)
})

test('every action is pinned to the commit that the main workflow has', () => {
  const main = text('.github/workflows/main.yaml')
  const uses = source.split('\n').filter(line => line.includes('uses:'))
  expect(uses.length).toBeGreaterThan(1)
  for (const line of uses) {
    expect(line).toMatch(/uses: [\w./-]+@[0-9a-f]{40} # v\d/)
    expect(main).toContain(line.trim())
  }
})
