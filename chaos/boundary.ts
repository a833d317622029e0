import type { Request } from '../test/support/proxy.ts'

/** Where in a run a request stands: what it is for (the job's name without its numbers, or the kind of table), its method and its resource. */
export type Boundary = { readonly step: string; readonly method: string; readonly resource: string }

/** Names the boundary of a request. */
export function boundaryOf({ method, path, query, job, json }: Request): Boundary {
  if (path.startsWith('/upload/')) return { step: 'load', method, resource: `upload ${query.get('uploadType')}` }
  const parts = path.replace(/^\/bigquery\/v2\/projects\/[^/]+\//, '').split('/')
  const resource = parts[0] === 'datasets' ? (parts[2] ?? 'datasets') : (parts[0] ?? '')
  const single = parts.length === 2 || parts.length === 4 ? '/…' : ''
  const step = /^etl-(note-[a-z]+|[a-z]+)/.exec(job ?? '')?.[1] ?? asked(json) ?? tableStep(parts) ?? 'other'
  return { step, method, resource: `${resource}${single}` }
}

/** What a query is for whose job the service names: the event that it puts into the ledger, or what it asks of. */
function asked(json: unknown): string | undefined {
  const { query, queryParameters } = (json ?? {}) as {
    query?: string
    queryParameters?: readonly { name: string; parameterValue?: { value?: string } }[]
  }
  if (typeof query !== 'string') return undefined
  const event = queryParameters?.find(({ name }) => name === 'event')?.parameterValue?.value
  if (event !== undefined) return `note-${event}`
  if (/stage__/.test(query)) return 'stage'
  return /head__|\.runs`|CURRENT_TIMESTAMP/.test(query) ? 'describe' : 'read'
}

function tableStep([kind, dataset, , table]: readonly string[]): string | undefined {
  if (kind !== 'datasets' || dataset === undefined) return undefined
  if (table === undefined) return `dataset ${dataset}`
  return (
    /^(head|stage)__/.exec(table)?.[1] ??
    (table.endsWith('__history') ? 'history' : dataset === 'inn' ? 'source' : table === 'runs' ? 'runs' : 'target')
  )
}

/** Which boundaries were met, and which of them a fault hit, over all runs. */
export type Coverage = { readonly met: Set<string>; readonly hit: Set<string> }

/** One line for people; the boundaries that no fault hit are named. */
export function coverageText({ met, hit }: Coverage): string {
  const missed = [...met].filter(name => !hit.has(name)).sort()
  return `request boundaries: ${hit.size} of ${met.size} hit by a fault${missed.length === 0 ? '' : `; not hit: ${missed.join(', ')}`}`
}
