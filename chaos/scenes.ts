import type { Draw } from './draw.ts'
import { drawTrouble, drawWhere, type Trouble, type Where } from './faults.ts'

/** A run as drawn: its Job's name, and what each of its pods meets. */
export type DrawnRun = { readonly name: string; readonly troubles: readonly Trouble[] }

/**
 * What happens between two looks at the tables.
 * - `one`: the pods of one Job, one after another.
 * - `overlap`: two or three pods of one Job at once, then one alone.
 * - `two`: two Jobs at once, each with its pods one after another; the source may change meanwhile.
 * - `rollback`: an earlier version is brought back, perhaps while a Job runs, and by a command that may be killed; a Job meets the hold; it is released.
 * - `zombie`: a Job stands still at a request (or is killed, and its request is on its way), the source changes, a later Job runs; then it goes on.
 */
export type Scene = { readonly runs: readonly DrawnRun[]; readonly commitDelay: number } & (
  | { readonly kind: 'one' | 'overlap' }
  | { readonly kind: 'two'; readonly change: boolean }
  | { readonly kind: 'rollback'; readonly to: number; readonly commands: readonly Trouble[]; readonly meanwhile: boolean }
  | { readonly kind: 'zombie'; readonly where: Where; readonly killed: boolean }
)

/** Names runs: of a CronJob's ticks in the last days, in their order, or made by hand. */
export type Names = (kind: 'scheduled' | 'manual') => string

/** The names of a group's runs; ticks start a week back, as the platform's would. `now` is in milliseconds. */
export function namesOf(group: number, now: number): Names {
  let tick = Math.floor(now / 60_000) - 7 * 24 * 60
  let number = 0
  return kind => {
    tick += 7
    number += 1
    return kind === 'scheduled' ? `jobb-${tick}` : `for-hand-${group}-${number}`
  }
}

/** Draws a scene; `isManual` says how often a run is one by hand. */
export function drawScene(draw: Draw, names: Names, isManual: number): Scene {
  const name = () => names(draw.chance(isManual) ? 'manual' : 'scheduled')
  const kind = draw.weighted({ one: 4, overlap: 3, two: 3, zombie: 3, rollback: 2 })
  const commitDelay = draw.chance(0.4) ? draw.int(20, 400) : 0
  switch (kind) {
    case 'one':
      return { kind, commitDelay, runs: [{ name: name(), troubles: inTurn(draw) }] }
    case 'overlap': {
      const troubles = Array.from({ length: draw.int(2, 3) }, () => drawTrouble(draw))
      return { kind, commitDelay, runs: [{ name: name(), troubles }] }
    }
    case 'two':
      return {
        kind,
        commitDelay,
        change: draw.chance(0.5),
        runs: [name(), name()].map(each => ({ name: each, troubles: inTurn(draw) })),
      }
    case 'rollback': {
      const commands = draw.chance(0.5) ? [drawTrouble(draw), calm] : [calm]
      const runs = [name(), name(), name()].map(each => ({ name: each, troubles: inTurn(draw) }))
      return { kind, commitDelay, to: draw.number(), commands, meanwhile: draw.chance(0.4), runs }
    }
    case 'zombie': {
      const [first, second] = [name(), name()]
      return {
        kind,
        commitDelay,
        where: drawWhere(draw),
        killed: draw.chance(0.4),
        runs: [
          { name: first, troubles: draw.chance(0.5) ? [calm] : [] },
          { name: second, troubles: inTurn(draw) },
        ],
      }
    }
  }
}

const calm: Trouble = { kind: 'calm' }

/** One to three attempts; the last one mostly meets nothing. */
function inTurn(draw: Draw): readonly Trouble[] {
  const troubles = Array.from({ length: draw.int(1, 3) }, () => drawTrouble(draw))
  return draw.chance(0.8) ? [...troubles.slice(0, -1), calm] : troubles
}
