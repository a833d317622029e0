import { comparedSource } from '../domain/check-changes.ts'
import { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import type { TableRef } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import { readChecked } from './read.ts'
import { readerOf } from './request.ts'
import { step } from './step.ts'

/**
 * Stages every key that the compared source has, in a table of its own: rows of the target with other keys are gone. undefined where no source is compared. `name` is that of the try.
 */
export async function stageKeys(plan: Plan, name: string, ports: Ports, signal: AbortSignal): Promise<TableRef | undefined> {
  const { pipeline, tables } = plan
  const compared = comparedSource(pipeline.from)
  const source = compared === undefined ? undefined : pipeline.from[compared]
  if (compared === undefined || source === undefined) return undefined
  const { key } = pipeline.to.row
  const [wanted, columns] = [source.row, pipeline.to.row].map(row => row.columns.filter(column => key.includes(column.name)))
  if (wanted === undefined || columns === undefined) throw new EtlError('bug', 'a key without columns.')
  const row = { ...source.row, columns: wanted, zod: keysOf(source.row.zod, key) }
  const pages = readChecked(
    `the keys of ${compared}`,
    { ...source, row },
    readerOf(source, ports.readers),
    { columns: wanted, slices: null },
    signal,
    () => undefined,
  )
  const writer = await step({ step: 'stage' }, () => ports.spool.open(columns))
  try {
    for await (const page of pages) await step({ step: 'stage' }, () => writer.write(page as never))
    if (signal.aborted) throw new EtlError('stopped', 'told to stop before it published.')
    const spooled = await step({ step: 'stage' }, () => writer.finish())
    const staged = await step({ step: 'stage' }, () =>
      ports.warehouse.stage(tables, columns, { kind: 'files', ...spooled }, `${name}_keys`),
    )
    return staged.table
  } finally {
    await writer.discard()
  }
}

/** The checks of the key's fields alone. */
function keysOf(zod: unknown, key: readonly string[]): never {
  return (zod as { pick(fields: Record<string, true>): never }).pick(Object.fromEntries(key.map(name => [name, true])))
}
