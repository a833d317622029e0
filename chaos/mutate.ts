import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../test/support/project.ts'
import type { Finding } from './finding.ts'
import { modes } from './modes.ts'
import { type Mutant, mutants } from './mutants.ts'
import { playScenario, scenarios } from './scenarios.ts'
import { startWorld } from './world.ts'

type Name = keyof typeof scenarios

/** What became of a mutant: the finding that killed it, or why it was not killed. */
export type Judged = { readonly what: string; readonly killedBy: string | undefined; readonly scenario: string }

/** Plays a scenario on the program in `code`; a failure of the play itself is thrown. */
export async function playOn(code: string, name: Name): Promise<readonly Finding[]> {
  const scenario = scenarios[name]
  const world = await startWorld(
    modes.filter(mode => mode.name === scenario.mode),
    code,
  )
  try {
    return await playScenario(world, scenario)
  } finally {
    await world.stop()
  }
}

/** Plays a mutant's scenario on a copy of the program with its mistake in it. Throws where the mistake does not apply (any more). */
export async function judgeMutant(mutant: Mutant): Promise<Judged> {
  const code = await copied()
  try {
    for (const [file, from, to] of mutant.edits) await edit(join(code, file), from, to)
    const [first] = await playOn(code, mutant.scenario)
    return {
      what: mutant.what,
      scenario: mutant.scenario,
      killedBy: first === undefined ? undefined : `${first.kind}: ${first.text}`,
    }
  } finally {
    await rm(code, { recursive: true, force: true })
  }
}

/** The scenarios that right code must survive, since a mutant is judged by each. */
export function scenariosOf(chosen: readonly Mutant[] = mutants): readonly Name[] {
  return [...new Set(chosen.map(({ scenario }) => scenario))]
}

async function copied(): Promise<string> {
  const code = await mkdtemp(join(tmpdir(), 'chaos-mutant-'))
  for (const name of ['src', 'bin', 'package.json']) await cp(join(root, name), join(code, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(code, 'node_modules'))
  return code
}

async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  const count = text.split(from).length - 1
  if (count !== 1)
    throw new Error(`a mutant does not apply any more: ${path} has its text ${count} times instead of once:\n${from}`)
  await writeFile(
    path,
    text.replace(from, () => to),
  )
}
