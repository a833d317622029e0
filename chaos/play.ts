import { alone, attempt, begin, ended, inTurn, later, type Stage } from './attempts.ts'
import { readRows } from './ledger.ts'
import type { KeptRow } from './modes.ts'
import { rollBack } from './rollback.ts'
import type { Scene } from './scenes.ts'

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
