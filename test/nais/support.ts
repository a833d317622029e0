import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import type { Name } from '../../src/domain/env.ts'
import { type NamedPipeline, pipeline } from '../../src/domain/pipeline.ts'
import { row } from '../../src/domain/row.ts'
import { table } from '../../src/domain/source.ts'
import { dataset } from '../../src/domain/target.ts'
import { replace } from '../../src/domain/write.ts'
import type { Deployment } from '../../src/nais/deployment.ts'

export const root = new URL('../../', import.meta.url)

/** A file of the project. */
export function text(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

export const deployment: Deployment = { name: 'naisapps-agg-dataproduct', team: 'nais-analyse' }

/** A pipeline that copies one table. */
export function copying(
  name: string,
  options: { schedule?: string; timeZone?: string; from?: Name; to?: Name; large?: boolean } = {},
): NamedPipeline {
  const Thing = row({ id: z.string() })
  const { schedule = '30 6 * * *', timeZone = 'Europe/Oslo', from = 'other-project.things.all', to = 'things' } = options
  const made = pipeline({
    schedule,
    timeZone,
    from: { things: table(Thing, from, { large: options.large ?? false }) },
    to: dataset(to).table(name, Thing),
    write: replace(),
  })
  return { ...made, name }
}

/** Is a program there? */
export function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
