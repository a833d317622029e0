import { inTurn, later, type Stage } from './attempts.ts'
import { fatesOf, type Trouble } from './faults.ts'
import { type Ended, startJob } from './job.ts'
import { readFound } from './ledger.ts'
import type { Scene } from './scenes.ts'

/** A rollback, a run that meets its hold, a release, and a run that publishes again. */
export async function rollBack(scene: Extract<Scene, { kind: 'rollback' }>, stage: Stage): Promise<void> {
  const [meanwhile, held, after] = scene.runs
  const beside = scene.meanwhile ? inTurn(meanwhile!, stage, false) : undefined
  if (beside !== undefined) await later(300, async () => undefined)
  for (const trouble of scene.commands) {
    await broughtBack(stage, scene.to, trouble)
    if (await isHeld(stage)) break
  }
  await beside
  await inTurn(held!, stage, false)
  await stage.world.settle()
  await released(stage)
  await stage.world.next(stage.mode)
  await inTurn(after!, stage, true)
}

/** `etl rollback` to one of the earlier versions, `to` of the way from the first to the last but one. Its word is held against the ledger. */
export async function broughtBack(stage: Stage, to: number, trouble: Trouble): Promise<void> {
  const before = await readFound(stage.world, stage.mode)
  const earlier = before.publications.slice(0, -1)
  const wanted = earlier[Math.floor(to * earlier.length)]
  if (wanted === undefined) return
  const ended = await command(stage, ['rollback', stage.mode.name, timestampOf(wanted.version)], trouble)
  await stage.world.settle()
  const { publications } = await readFound(stage.world, stage.mode)
  const restored = publications.slice(before.publications.length).filter(({ event }) => event === 'restored')
  if (ended.code === 0 && restored.length !== 1)
    complain(stage, ended, `said that it brought a version back, and ${restored.length} were`)
  const isSaid = ended.signal === null && ended.code !== 0 && !/could not be found out/.test(ended.text)
  if (isSaid && restored.length > 0) complain(stage, ended, 'said that it brought nothing back, and it did')
  if (restored.some(({ restores }) => restores === null || timestampOf(wanted.version) !== normal(restores)))
    complain(stage, ended, `brought back ${restored[0]?.restores} instead of ${timestampOf(wanted.version)}`)
}

/** `etl release`, where something holds the target. */
export async function released(stage: Stage): Promise<void> {
  if (!(await isHeld(stage))) return
  const ended = await command(stage, ['release', stage.mode.name], { kind: 'calm' })
  if (ended.code !== 0 || (await isHeld(stage))) complain(stage, ended, 'did not release the target')
}

async function isHeld({ world, mode }: Stage): Promise<boolean> {
  return (await readFound(world, mode)).head[0]?.held === true
}

async function command({ world, coverage }: Stage, words: readonly string[], trouble: Trouble): Promise<Ended> {
  const { decide, gate } = fatesOf(trouble, coverage)
  const job = await startJob(world, 'ved-pulten', words, decide)
  void gate.reached.then(() => later(200, async () => gate.open()))
  const ended = await job.ended
  await job.idle()
  return ended
}

function complain({ findings }: Stage, { code, text }: Ended, what: string): void {
  findings.push({ kind: 'lost', text: `the command ${what} (exit ${code}: ${text.trim().slice(0, 300)})` })
}

/** A version as `etl versions` prints it. */
function timestampOf(micros: bigint): string {
  const fraction = micros % 1_000_000n
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19)
  return fraction === 0n ? `${seconds}Z` : `${seconds}.${String(fraction).padStart(6, '0')}Z`
}

function normal(text: string): string {
  return text.replace(' ', 'T').replace('+00', 'Z')
}
