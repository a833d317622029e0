import type { Column } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import type { Source } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { BulkWriter } from '../ports/spool.ts'
import { readerOf, readRequest } from './request.ts'
import { placed, step } from './step.ts'
import type { Progress } from './transform.ts'

/** A source that can be copied as it is: the reader gives vectors, and there is nothing to do for a row. */
export type Copied = { readonly name: string; readonly source: Source; readonly columns: readonly Column[] }

/**
 * The source of a plan whose rows need not be looked at; undefined if they must be. Without a transform all that Node checks is the row schemas, and what they promise the
 * audit proves of the stage: so the source's columns must promise what the target's do, in words that SQL knows.
 */
export function copiedSource({ pipeline }: Pick<Plan, 'pipeline'>, { readers }: Pick<Ports, 'readers'>): Copied | undefined {
  const [entry, ...more] = Object.entries(pipeline.from)
  if (entry === undefined || more.length > 0 || pipeline.transform.kind !== 'none') return undefined
  const [name, source] = entry
  if (readerOf(source, readers).bulk === undefined) return undefined
  const { columns } = pipeline.to.row
  const fits = columns.every(column => {
    const from = source.row.columns.find(({ name }) => name === column.name)
    return from !== undefined && isProvable(from) && isProvable(column) && promise(from) === promise(column)
  })
  return fits ? { name, source, columns } : undefined
}

/** An audit sees no elements of an array. */
function isProvable({ type, mode, rules, notAuditable }: Column): boolean {
  return type !== 'RECORD' && notAuditable === undefined && (mode !== 'REPEATED' || rules.length === 0)
}

function promise({ type, mode, bigint, rules }: Column): string {
  return JSON.stringify([type, mode, bigint ?? false, rules])
}

/** Copies a source into the spool; no row becomes an object. @returns how many there were. */
export async function copyInBulk(
  { name, source, columns }: Copied,
  writer: BulkWriter,
  { pipeline, scope, windows }: Plan,
  { readers }: Pick<Ports, 'readers'>,
  signal: AbortSignal,
  progress: Progress,
): Promise<number> {
  const request = { ...readRequest(pipeline, source, scope, windows[name] ?? null), columns }
  const told = (by: string) => progress({ kind: 'way', source: name, by })
  let read = 0
  try {
    for await (const page of readerOf(source, readers).bulk!(source, request, signal, told)) {
      read += page.rows
      progress({ kind: 'reading', source: name, rows: read })
      await step({ step: 'stage' }, () => writer.write(page))
    }
    // A reader that was told to stop ends early: what it gave is not the whole.
    if (signal.aborted) throw new EtlError('stopped', 'told to stop while it was reading.')
    return read
  } catch (error) {
    throw placed(error, { step: `read ${name}` })
  }
}
