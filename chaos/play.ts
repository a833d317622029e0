import type { Coverage } from './boundary.ts'
import { fatesOf, type Trouble } from './faults.ts'
import type { Finding, KnownRun } from './finding.ts'
import { type Ended, type Job, startJob } from './job.ts'
import { publicationCount, readRows } from './ledger.ts'
import type { KeptRow, Mode } from './modes.ts'
import { rollBack } from './rollback.ts'
import type { DrawnRun, Scene } from './scenes.ts'
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

/** How often a reader looks at the table meanwhile, in milliseconds. */
const glance = 300

/** Plays a scene until all of it has ended, and gives what a reader saw meanwhile. */
export async function play(scene: Scene, stage: Stage): Promise<readonly (readonly KeptRow[])[]> {
  const { world, mode } = stage
  await world.next(mode)
  if (scene.commitDelay > 0) await world.fault({ kind: 'delayCommit', match: 'publish', times: 4, ms: scene.commitDelay })
  const looks: (readonly KeptRow[])[] = []
  let over = false
  const reader = (async () => {
    while (!over) {
      looks.push(await readRows(world, mode))
      await new Promise(resolve => setTimeout(resolve, glance))
    }
  })()
  try {
    await perform(scene, stage)
    await world.settle()
  } finally {
    over = true
    await reader
  }
  close(
    stage,
    scene.runs.map(({ name }) => name),
  )
  return looks
}

/** These runs are over: they have read nothing that comes to the source from now on. */
export function close({ runs, world, mode }: Stage, names: readonly string[]): void {
  for (const name of names) {
    const known = runs.get(name)
    if (known !== undefined) known.to = world.generation(mode)
  }
}

async function perform(scene: Scene, stage: Stage): Promise<void> {
  const [first, second] = scene.runs
  if (first === undefined) return
  switch (scene.kind) {
    case 'one':
      return inTurn(first, stage, true)
    case 'overlap': {
      const pods = first.troubles.map((trouble, index) => later(index * 60, () => attempt(first.name, trouble, stage)))
      const ends = await Promise.all(pods)
      if (ends.every(({ code }) => code !== 0)) await alone(first.name, stage)
      return
    }
    case 'two': {
      const work = [first, second!].map((run, index) => later(index * 40, () => inTurn(run, stage, false)))
      if (scene.change) await later(400, () => stage.world.next(stage.mode))
      await Promise.all(work)
      return
    }
    case 'rollback':
      return rollBack(scene, stage)
    case 'zombie': {
      const what = scene.killed ? 'killLate' : 'hold'
      const { job, gate, base } = await begin(first.name, { kind: 'shot', what, where: scene.where, times: 1 }, stage)
      await Promise.race([gate.reached, job.ended])
      await stage.world.next(stage.mode)
      await inTurn(second!, stage, false)
      gate.open()
      await ended(job, base, stage)
      await job.idle()
      if (first.troubles.length > 0) await alone(first.name, stage)
    }
  }
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
async function alone(name: string, stage: Stage): Promise<void> {
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
