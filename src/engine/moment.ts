import { microsOf } from '../domain/micros.ts'
import { type Moment, momentOf } from '../domain/moment.ts'
import type { Plan } from '../domain/plan.ts'
import type { Ports } from '../ports/index.ts'
import type { Readers } from '../ports/reader.ts'
import { noteOf } from './note.ts'
import { asOf, readerOf, readRequest } from './request.ts'

/** Plans of one run whose functions read their sources at one moment, as far as those can be. A sql transform is one query, and sees one snapshot. */
export function withMoment(plans: readonly Plan[], readers: Readers): readonly Plan[] {
  const functions = plans.filter(({ pipeline }) => pipeline.transform.kind !== 'sql')
  const [first] = functions
  if (first === undefined) return plans
  const now = functions.map(plan => plan.now).reduce((a, b) => (microsOf(b) > microsOf(a) ? b : a))
  const moment = momentOf(first.pipeline.from, first.sources, functions.length, now)
  return moment === null ? plans : plans.map(plan => (functions.includes(plan) ? readAt(plan, moment, readers) : plan))
}

/**
 * Claims the version of each target, and gives the plans with the moment at which their sources are read: the warehouse's clock right after the last claim, told in the same call. No earlier: what
 * a source changes after a claim counts as late, so it may be passed, and what it changes before must not be (engine/late.ts).
 */
export async function claim(
  plans: readonly Plan[],
  { warehouse, readers }: Pick<Ports, 'warehouse' | 'readers'>,
): Promise<readonly Plan[]> {
  let at: string | undefined
  for (const plan of plans) {
    const note = { ...noteOf(plan), event: 'claimed' }
    const isAsked = plan === plans.at(-1) && plans.some(({ moment }) => moment !== null && moment.pinned.length > 0)
    if (isAsked) at = String((await warehouse.noteAndAsk(note, 'SELECT CURRENT_TIMESTAMP() AS now')).rows[0]?.now)
    else await warehouse.note(note)
  }
  const now = at
  if (now === undefined) return plans
  return plans.map(plan => (plan.moment === null ? plan : readAt(plan, { ...plan.moment, at: now }, readers)))
}

function readAt(plan: Plan, moment: Moment, readers: Readers): Plan {
  const { pipeline, scope, windows } = plan
  const sources = plan.sources.map(each => {
    const source = pipeline.from[each.name]
    const at = asOf(moment, each.name)
    if (source === undefined || at === null) return each
    const request = readRequest(pipeline, source, scope, windows[each.name] ?? null)
    return { ...each, read: readerOf(source, readers).text(source, { ...request, asOf: at }) }
  })
  return { ...plan, moment, sources }
}
