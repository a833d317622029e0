// `npm run chaos -- --runs 500 --seed S [--mode all|NAME] [--only GROUP]`: the proof that a run publishes once and whole, or not at all. See docs/chaos.md.
import { parseArgs } from 'node:util'
import { coverageText } from './boundary.ts'
import { playGroup, type Result } from './group.ts'
import { modes } from './modes.ts'

/** Runs of one world: enough that versions follow versions, few enough that tables stay small. */
const groupSize = 16

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    mode: { type: 'string', default: 'all' },
    only: { type: 'string' },
    lanes: { type: 'string', default: '2' },
  },
})
process.exitCode = await main()

async function main(): Promise<number> {
  const { seed, mode } = values
  const runs = Number(values.runs)
  const chosen = modes.filter(({ name }) => mode === 'all' || name === mode)
  if (chosen.length === 0 || !Number.isInteger(runs) || runs < 1) {
    process.stderr.write(`--runs N, and --mode all or one of ${modes.map(({ name }) => name).join(', ')}\n`)
    return 2
  }
  const started = performance.now()
  const coverage = { met: new Set<string>(), hit: new Set<string>() }
  const groups =
    values.only === undefined ? Array.from({ length: Math.ceil(runs / groupSize) }, (_, index) => index) : [Number(values.only)]
  const results: Result[] = []
  const next = groups.values()
  const lane = async () => {
    for (const number of next) {
      const size = Math.min(groupSize, runs - number * groupSize)
      const result = await playGroup(seed, number, values.only === undefined ? size : groupSize, chosen, coverage)
      results.push(result)
      for (const { kind, text, scene, run } of result.findings) {
        say(`${kind}: ${text}`)
        say(`  in run ${run} of group ${number}, ${scene}`)
        say(`  again: npm run chaos -- --seed ${seed} --mode ${mode} --only ${number}`)
      }
    }
  }
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane))
  const sum = (pick: (result: Result) => number) => results.reduce((total, result) => total + pick(result), 0)
  const of = (kind: string) => sum(({ findings }) => findings.filter(finding => finding.kind === kind).length)
  say(coverageText(coverage))
  say(`${sum(({ processes }) => processes)} processes in ${Math.round((performance.now() - started) / 1000)} s, seed ${seed}`)
  const kinds = ['duplicates', 'partial', 'old-over-new', 'lost']
  say(
    `runs=${sum(result => result.runs)} published=${sum(({ published }) => published)} ${kinds.map(kind => `${kind}=${of(kind)}`).join(' ')}`,
  )
  return results.every(({ findings }) => findings.length === 0) ? 0 : 1
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
