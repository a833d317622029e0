import { EtlError } from '../domain/error.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import type { Context } from './command.ts'
import { loadPipeline } from './pipelines.ts'

/**
 * The one result of a pipeline that `--table` names; without it, the only one.
 * @throws EtlError `usage`.
 */
export async function loadPart(context: Context): Promise<NamedPipeline> {
  const pipeline = await loadPipeline(context.root, context.words[0] ?? '')
  const parts = partsOf(pipeline)
  const { table } = context.flags
  const chosen = typeof table === 'string' ? parts.filter(part => part.to.table === table) : parts
  const [only, more] = chosen
  if (only !== undefined && more === undefined) return only
  throw new EtlError(
    'usage',
    only === undefined ? `${pipeline.name} has no table ${String(table)}.` : `${pipeline.name} has several tables.`,
    { hint: `choose one: ${parts.map(part => `--table ${part.to.table}`).join(', ')}` },
  )
}
