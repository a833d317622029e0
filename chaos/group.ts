import type { Stage } from './attempts.ts'
import type { Coverage } from './boundary.ts'
import { drawFrom } from './draw.ts'
import type { Finding, KnownRun } from './finding.ts'
import { readFound } from './ledger.ts'
import type { Mode } from './modes.ts'
import { play } from './play.ts'
import { drawScene, namesOf } from './scenes.ts'
import { judge } from './verdict.ts'
import { startWorld } from './world.ts'

/** What became of a group of runs. */
export type Result = {
  readonly runs: number
  readonly published: number
  /** Each with the first run of its scene, counted within the group. */
  readonly findings: readonly (Finding & { readonly run: number; readonly scene: string })[]
  /** Processes of the job that were started. */
  readonly processes: number
}

/**
 * Plays drawn scenes until about so many runs were started, in a world of their own that begins with nothing, and judges every target after every scene.
 * The scenes are the same for the same seed and number. Stops at the first finding: what comes after it stands on broken ground.
 */
export async function playGroup(
  seed: string,
  number: number,
  size: number,
  modes: readonly Mode[],
  coverage: Coverage,
): Promise<Result> {
  const draw = drawFrom(seed, number)
  const names = namesOf(number, Date.now())
  const isManual = draw.pick([0, 0.3, 0.6])
  const stages = modes.map((mode): Omit<Stage, 'world'> => ({ mode, runs: new Map<string, KnownRun>(), coverage, findings: [] }))
  const world = await startWorld(modes)
  const counted = () => stages.reduce((sum, { runs }) => sum + runs.size, 0)
  const published = new Map<string, number>()
  const findings: Result['findings'][number][] = []
  try {
    for (let turn = draw.int(0, modes.length - 1); counted() < size && findings.length === 0; turn++) {
      const stage = { ...stages[turn % stages.length]!, world }
      const scene = drawScene(draw, names, isManual)
      const first = counted() + 1
      const looks = await play(scene, stage)
      const found = await readFound(world, stage.mode)
      published.set(stage.mode.name, found.publications.filter(({ event }) => event === 'published').length)
      const told = `${stage.mode.name}: ${JSON.stringify(scene)}`
      const judged = [...stage.findings, ...judge(stage.mode, found, stage.runs, looks)]
      findings.push(...judged.map(finding => ({ ...finding, run: first, scene: told })))
    }
  } finally {
    await world.stop()
  }
  const ends = stages.flatMap(({ runs }) => [...runs.values()].flatMap(known => known.ends))
  return {
    runs: counted(),
    published: [...published.values()].reduce((sum, each) => sum + each, 0),
    findings,
    processes: ends.length,
  }
}
