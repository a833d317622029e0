import { type Cost, costOf } from '../domain/cost.ts'
import { EtlError } from '../domain/error.ts'
import type { Plan } from '../domain/plan.ts'
import type { Ports } from '../ports/index.ts'
import { runsPerMonth } from './tick.ts'

/** What a planned run and a month of such runs cost, and what each source's query reads (bytes; null where nobody knows, absent for a file). */
export type PlanCost = Cost & { readonly sources: Readonly<Record<string, number | null>> }

/** Asks for dry runs of what the run would read; they are free. For `plan`: a run doesn't need to know. */
export async function costOfPlan(plan: Plan, { warehouse }: Pick<Ports, 'warehouse'>): Promise<PlanCost> {
  const { pipeline, size, last, baseline } = plan
  const tables = plan.sources.filter(({ name }) => ['table', 'query'].includes(pipeline.from[name]?.kind ?? ''))
  // A sql transform reads all its sources by one query.
  const texts = [...new Set(tables.map(source => source.read))]
  const bytes = new Map(await Promise.all(texts.map(async text => [text, await estimated(text, warehouse)] as const)))
  const cost = costOf(
    pipeline.write,
    { reads: [...bytes.values()], target: size, lastRows: last?.rows ?? null, baseline },
    runsPerMonth(pipeline),
  )
  return { ...cost, sources: Object.fromEntries(tables.map(({ name, read }) => [name, bytes.get(read) ?? null])) }
}

/** An estimate that can't be had hides no plan: the run would say the same of the query itself. */
async function estimated(sql: string, warehouse: Ports['warehouse']): Promise<number | null> {
  try {
    return await warehouse.estimate(sql)
  } catch (error) {
    if (error instanceof EtlError) return null
    throw error
  }
}
