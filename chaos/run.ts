// `npm run chaos -- --runs 500 --seed S [--mode all|NAME] [--only GROUP]` and `npm run chaos -- --mutants`: the proof that a run publishes once and whole, or not at all. See docs/chaos.md.
import { parseArgs } from 'node:util'
import { root } from '../test/support/project.ts'
import { coverageText } from './boundary.ts'
import { playGroup, type Result } from './group.ts'
import { lanes } from './lanes.ts'
import { modes } from './modes.ts'
import { mutants } from './mutants.ts'
import { judgeMutant, playOn, scenariosOf } from './mutate.ts'

/** Runs of one world: enough that versions follow versions, few enough that tables stay small. */
const groupSize = 16

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    mode: { type: 'string', default: 'all' },
    only: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '2' },
  },
})
const started = performance.now()
process.exitCode = values.mutants ? await judgeMutants() : await playRuns()

/** Drawn runs, and one line that says what was found. Gives the exit code. */
async function playRuns(): Promise<number> {
  const { seed, mode } = values
  const runs = Number(values.runs)
  const chosen = modes.filter(({ name }) => mode === 'all' || name === mode)
  if (chosen.length === 0 || !Number.isInteger(runs) || runs < 1) {
    process.stderr.write(`--runs N, and --mode all or one of ${modes.map(({ name }) => name).join(', ')}\n`)
    return 2
  }
  const coverage = { met: new Set<string>(), hit: new Set<string>() }
  const all = Array.from({ length: Math.ceil(runs / groupSize) }, (_, index) => index)
  const groups = values.only === undefined ? all : [Number(values.only)]
  const results = await lanes(Number(values.lanes), groups, async number => {
    const size = values.only === undefined ? Math.min(groupSize, runs - number * groupSize) : groupSize
    const result = await playGroup(seed, number, size, chosen, coverage)
    say(`group ${number}: ${result.runs} runs, ${result.published} published, ${result.findings.length} findings, ${seconds()} s`)
    for (const { kind, text, scene, run } of result.findings) {
      say(`${kind}: ${text}`)
      say(`  in run ${run} of group ${number}, ${scene}`)
      say(`  again: npm run chaos -- --seed ${seed} --mode ${mode} --only ${number}`)
    }
    return result
  })
  const sum = (pick: (result: Result) => number) => results.reduce((total, result) => total + pick(result), 0)
  const of = (kind: string) => sum(({ findings }) => findings.filter(finding => finding.kind === kind).length)
  say(coverageText(coverage))
  say(`${sum(({ processes }) => processes)} processes in ${seconds()} s, seed ${seed}`)
  const kinds = ['duplicates', 'partial', 'old-over-new', 'lost'].map(kind => `${kind}=${of(kind)}`)
  say(`runs=${sum(result => result.runs)} published=${sum(({ published }) => published)} ${kinds.join(' ')}`)
  return results.every(({ findings }) => findings.length === 0) ? 0 : 1
}

/** The deliberate mistakes, after the program without them has passed every scenario that one is judged by. Gives the exit code. */
async function judgeMutants(): Promise<number> {
  const count = Number(values.lanes)
  const clean = await lanes(count, scenariosOf(), async name => {
    const findings = await playOn(root, name)
    for (const { kind, text } of findings) say(`not a mutant, and caught by ${name}: ${kind}: ${text}`)
    return findings.length === 0
  })
  if (clean.includes(false)) return 1
  say(`without a mistake: ${clean.length} scenarios, nothing found`)
  const judged = await lanes(count, mutants, async mutant => {
    const result = await judgeMutant(mutant)
    say(
      result.killedBy === undefined
        ? `ALIVE: ${result.what} (${result.scenario})`
        : `killed: ${result.what} (${result.scenario}): ${result.killedBy}`,
    )
    return result.killedBy !== undefined
  })
  const killed = judged.filter(Boolean).length
  say(`${seconds()} s`)
  say(`${killed}/${mutants.length} killed`)
  return killed === mutants.length ? 0 : 1
}

function seconds(): number {
  return Math.round((performance.now() - started) / 1000)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
