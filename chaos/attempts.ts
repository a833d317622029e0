import type { Coverage } from './boundary.ts'
import { fatesOf, type Trouble } from './faults.ts'
import type { Finding, KnownRun } from './finding.ts'
import { type Ended, type Job, startJob } from './job.ts'
import { publicationCount } from './ledger.ts'
import type { Mode } from './modes.ts'
import type { DrawnRun } from './scenes.ts'
import type { World } from './world.ts'

/** What is played on: one target of a world, and what is known of its runs by now. */
export type Stage = {
  readonly world: World
  readonly mode: Mode
  readonly runs: Map<string, KnownRun>
  readonly coverage: Coverage
  /** What commands said that is not so. */
  readonly findings: Finding[]
}

/** Attempts one after another until one ends well, as a Job's controller does; `sole`: nobody else publishes meanwhile. */
export async function inTurn({ name, troubles }: DrawnRun, stage: Stage, sole: boolean): Promise<void> {
  for (const trouble of troubles) {
    const { code } = await attempt(name, trouble, stage)
    if (sole && trouble.kind === 'calm') stage.runs.get(name)!.mustEndWell = true
    if (code === 0) return
  }
}

/** A last attempt that meets nothing and nobody. */
export async function alone(name: string, stage: Stage): Promise<void> {
  await stage.world.settle()
  await inTurn({ name, troubles: [{ kind: 'calm' }] }, stage, true)
}

/** One attempt from its start to its end, and its last request. */
export async function attempt(name: string, trouble: Trouble, stage: Stage): Promise<Ended> {
  const { job, gate, base } = await begin(name, trouble, stage)
  // Late without a zombie's patience: soon after its client's death.
  if (trouble.kind === 'shot' && trouble.what === 'killLate') void gate.reached.then(() => later(200, async () => gate.open()))
  const end = await ended(job, base, stage)
  await job.idle()
  return end
}

/** Starts an attempt that meets this trouble; `gate` is that of a request that is held. */
export async function begin(name: string, trouble: Trouble, { world, mode, runs, coverage }: Stage) {
  const from = world.generation(mode)
  if (!runs.has(name)) runs.set(name, { run: name, from, to: from, ends: [], mustEndWell: false })
  const { decide, gate } = fatesOf(trouble, coverage)
  const base = await publicationCount(world, mode)
  const pod = `${name}-${Math.random().toString(36).slice(2, 7).padEnd(5, 'x')}`
  return { job: await startJob(world, pod, ['run', mode.name], decide), gate, base }
}

/** Waits for the end of an attempt and keeps it. */
export async function ended(job: Job, base: number, { runs }: Stage): Promise<Ended> {
  const end = await job.ended
  runs.get(job.run)?.ends.push({ ended: end, base })
  return end
}

/** Does something after a while. */
export async function later<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  await new Promise(resolve => setTimeout(resolve, milliseconds))
  return work()
}
