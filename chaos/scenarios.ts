import { attempt, begin, ended, type Stage } from './attempts.ts'
import type { Trouble } from './faults.ts'
import type { Finding, KnownRun } from './finding.ts'
import type { Ended, Job } from './job.ts'
import { readFound } from './ledger.ts'
import { type Mode, modes } from './modes.ts'
import { close } from './play.ts'
import { broughtBack, released } from './rollback.ts'
import { judge } from './verdict.ts'
import type { World } from './world.ts'

/** An interleaving that is forced, not hoped for: what right code survives and a certain mistake does not. */
export type Scenario = { readonly mode: string; play(rig: Rig): Promise<void> }

/** What a scenario can do. Runs are named `a`, `b`, …; those with a number are scheduled, in the order of their numbers. */
type Rig = {
  readonly world: World
  readonly mode: Mode
  /** The source changes. */
  next(): Promise<unknown>
  /** One attempt to its end. */
  pod(run: string, trouble?: Trouble): Promise<Ended>
  /** An attempt that stands still before the first request that submits a step, or asks for its end (`GET`); `go` lets it go on to its end. */
  held(run: string, step: string, method?: 'POST' | 'GET'): Promise<{ readonly job: Job; go(): Promise<Ended> }>
  /** This run must end well: nothing and nobody was in its way for long. */
  mustEndWell(run: string): void
  /** `etl rollback` to the first version, or `etl release`. */
  command(name: 'rollback' | 'release'): Promise<void>
}

const calm: Trouble = { kind: 'calm' }
/** At the first request of a step that submits something, or at those that ask. */
const at = (step: string, what: 'hold' | 'killBefore' | 'killAfter' | 'unavailable', method = 'POST', times = 1): Trouble => ({
  kind: 'shot',
  what,
  where: { step, method, nth: 1 },
  times,
})

export const scenarios = {
  /** Two runs, one after another. */
  plain: {
    mode: 'replace',
    async play({ next, pod, mustEndWell }) {
      for (const run of ['a', 'b']) {
        await next()
        await pod(run)
        mustEndWell(run)
      }
    },
  },
  /** A table whose columns somebody put into another order. */
  otherOrder: {
    mode: 'replace',
    async play({ world, pod, mustEndWell }) {
      await world.sql(
        'CREATE TABLE `chaos.ut.replace` (dato DATE NOT NULL, gen INT64 NOT NULL, id INT64 NOT NULL, verdi STRING NOT NULL, version TIMESTAMP NOT NULL) CLUSTER BY dato, id',
      )
      await pod('a')
      mustEndWell('a')
    },
  },
  /** Yesterday's pod stands still before it publishes; today's run publishes; yesterday's goes on. */
  zombie: {
    mode: 'replace',
    async play({ next, pod, held, mustEndWell }) {
      const zombie = await held('1', 'publish')
      await next()
      await pod('2')
      await zombie.go()
      mustEndWell('1')
      mustEndWell('2')
    },
  },
  /** An earlier version is brought back; the next run finds the table held. */
  held: {
    mode: 'replace',
    async play({ next, pod, command, mustEndWell }) {
      await pod('a')
      await next()
      await pod('b')
      await command('rollback')
      await pod('c')
      await command('release')
      await pod('d')
      mustEndWell('c')
      mustEndWell('d')
    },
  },
  /** The same where the content depends on what was there, and the version of the one that stands still is the newer. */
  staleBase: {
    mode: 'merge',
    async play({ next, pod, held, mustEndWell }) {
      await pod('1')
      await next()
      const slow = await held('3', 'publish')
      await next()
      await pod('2')
      await slow.go()
      mustEndWell('3')
    },
  },
  staleSlices: {
    mode: 'partition',
    async play({ next, pod, held, mustEndWell }) {
      await pod('1')
      await next()
      const slow = await held('3', 'publish')
      await next()
      await pod('2')
      await slow.go()
      mustEndWell('3')
    },
  },
  /** Two pods of one Job are inside their transactions at the same time. */
  siblings: {
    mode: 'append',
    async play({ world, pod, held, mustEndWell }) {
      await pod('first')
      const pods = [await held('a', 'note-staged'), await held('a', 'note-staged')]
      await world.fault({ kind: 'holdCommit', match: 'publish', times: 2 })
      const ends = pods.map(({ go }) => go())
      await Promise.all(pods.map(submitted))
      await world.settle()
      await Promise.all(ends)
      mustEndWell('a')
    },
  },
  /** Three plans in a row; the third is that of a second pod of the first Job, which claims anew since the first one's claim is not noted yet. */
  forgotten: {
    mode: 'replace',
    async play({ pod, held }) {
      await pod('1')
      const first = await held('a', 'note-claimed')
      await aSecond()
      const other = await held('b', 'publish')
      await aSecond()
      const second = await held('a', 'publish')
      for (const each of [first, other, second]) await each.go()
    },
  },
  /** One run's transaction is open while another one wants to publish, and ends soon. */
  conflict: {
    mode: 'replace',
    async play(rig) {
      await rig.pod('1')
      await collide(rig)
      rig.mustEndWell('3')
    },
  },
  /** The same where the loser's rows were made for what was there before. */
  conflictOnBase: {
    mode: 'merge',
    async play(rig) {
      await rig.pod('1')
      await collide(rig)
      rig.mustEndWell('3')
    },
  },
  /** A pod dies between the load of its stage and the note of it; the next one of the Job begins again. */
  halfStaged: {
    mode: 'replace',
    async play({ pod, mustEndWell }) {
      await pod('a', at('note-staged', 'killBefore'))
      await pod('a')
      mustEndWell('a')
    },
  },
  /** A pod dies after it noted its stage, another run publishes, and the Job is tried again by hand. */
  oldStage: {
    mode: 'replace',
    async play({ world, next, pod, mustEndWell }) {
      await pod('a', at('note-staged', 'killAfter'))
      await world.settle()
      await next()
      await pod('b')
      await pod('a')
      mustEndWell('a')
    },
  },
  /** The server dies after the first commit of a publish job, before a second one. */
  secondCommit: {
    mode: 'replace',
    async play({ world, pod, held, mustEndWell }) {
      await pod('1')
      const publishing = await held('a', 'publish')
      await world.fault({ kind: 'delayCommit', match: 'publish', ms: 1 })
      await world.fault({ kind: 'holdCommit', match: 'publish' })
      await Promise.race([publishing.go(), heldCommit(world)])
      await publishing.job.kill()
      await world.restart()
      await pod('a')
      mustEndWell('a')
    },
  },
  /** Nobody answers any more once the publish job is accepted. */
  silence: {
    mode: 'replace',
    async play({ pod }) {
      await pod('1')
      await pod('a', at('publish', 'unavailable', 'GET', 1000))
    },
  },
} satisfies Record<string, Scenario>

/**
 * Run 2 is about to commit when run 3, whose version is newer, submits and is aborted; then it commits, and only after that does run 3 hear of its abort:
 * a retry that comes while run 2 is still open would lose by itself, whatever it thinks of the head.
 */
async function collide({ world, next, held }: Rig): Promise<void> {
  await next()
  const first = await held('2', 'publish')
  await world.fault({ kind: 'holdCommit', match: 'publish' })
  const ends = [first.go()]
  await heldCommit(world)
  await next()
  const second = await held('3', 'publish', 'GET')
  await submitted(second)
  await world.settle()
  ends.push(second.go())
  await Promise.all(ends)
}

/** Its publish job was accepted, and has had the time to meet another one. */
async function submitted({ job }: { readonly job: Job }): Promise<void> {
  const isAccepted = () =>
    job.seen.some(({ method, job: id, status }) => method === 'POST' && id?.startsWith('etl-publish') && status === 200)
  for (let tried = 0; tried < 3000 && !isAccepted(); tried++) await new Promise(resolve => setTimeout(resolve, 20))
  await new Promise(resolve => setTimeout(resolve, 400))
}

/** Versions of runs by hand are whole seconds. */
const aSecond = () => new Promise(resolve => setTimeout(resolve, 1100))

async function heldCommit(world: World): Promise<void> {
  for (;;) {
    const { held } = (await (await fetch(`${world.url}/_local/faults`)).json()) as { held: number }
    if (held > 0) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Plays a scenario in a world that nothing was published in, and judges what it left. */
export async function playScenario(world: World, scenario: Scenario): Promise<readonly Finding[]> {
  const mode = modes.find(({ name }) => name === scenario.mode)!
  const stage: Stage = {
    world,
    mode,
    runs: new Map<string, KnownRun>(),
    coverage: { met: new Set(), hit: new Set() },
    findings: [],
  }
  const yesterday = Math.floor(Date.now() / 60_000) - 24 * 60
  const name = (run: string) => (/^\d+$/.test(run) ? `jobb-${yesterday + Number(run)}` : `for-hand-${run}`)
  await scenario.play({
    world,
    mode,
    next: () => world.next(mode),
    pod: (run, trouble = calm) => attempt(name(run), trouble, stage),
    async held(run, step, method = 'POST') {
      const { job, gate, base } = await begin(name(run), at(step, 'hold', method), stage)
      await Promise.race([gate.reached, job.ended])
      return {
        job,
        go() {
          gate.open()
          return ended(job, base, stage)
        },
      }
    },
    command: name => (name === 'release' ? released(stage) : broughtBack(stage, 0, calm)),
    mustEndWell(run) {
      const known = stage.runs.get(name(run))
      if (known !== undefined) known.mustEndWell = true
    },
  })
  await world.settle()
  close(stage, [...stage.runs.keys()])
  return [...stage.findings, ...judge(mode, await readFound(world, mode), stage.runs, [])]
}
