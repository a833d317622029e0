import type { Fate } from '../test/support/proxy.ts'
import type { Boundary, Coverage } from './boundary.ts'
import { type Draw, drawFrom } from './draw.ts'
import type { Decide, Job } from './job.ts'

/** What happens at one request: the process is killed before it is forwarded, after it was carried out, or so that the request arrives much later; … */
const shots = {
  killBefore: 4,
  killAfter: 5,
  killLate: 2,
  term: 1,
  dropAnswer: 3,
  cutBefore: 1,
  unavailable: 2,
  unavailableAfter: 3,
  delay: 1,
} as const
type Shot = keyof typeof shots | 'hold'

/** Which request: the nth of all, or of those of a step such as `publish` or a method. */
export type Where = { readonly step?: string; readonly method?: string; readonly nth: number }

/** What one attempt meets: nothing; one fault at one request; or a bad network, in which one request in seven has one. */
export type Trouble =
  | { readonly kind: 'calm' }
  | { readonly kind: 'shot'; readonly what: Shot; readonly where: Where; readonly times: number }
  | { readonly kind: 'storm'; readonly seed: number }

/** Draws the trouble of an attempt. Half of the faults are looked for around the publication, where they matter most. */
export function drawTrouble(draw: Draw): Trouble {
  const kind = draw.weighted({ shot: 7, storm: 2, calm: 1 })
  if (kind === 'calm') return { kind }
  if (kind === 'storm') return { kind, seed: draw.int(0, 1_000_000) }
  return { kind, what: draw.weighted(shots), where: drawWhere(draw), times: draw.chance(0.3) ? draw.int(2, 8) : 1 }
}

/** Draws a request: any of the first so many that a run makes, or one of those around the publication. */
export function drawWhere(draw: Draw): Where {
  const nth = draw.int(1, 5)
  return draw.weighted<'any' | 'publish' | 'note-publishing'>({ any: 5, publish: 4, 'note-publishing': 1 }) === 'any'
    ? { nth: draw.int(1, requests) }
    : { step: draw.chance(0.8) ? 'publish' : 'note-publishing', nth }
}

/** About as many requests as a run makes. */
const requests = 26

/** The gate of a request that is held, or that arrives late. */
export type Gate = { readonly reached: Promise<void>; open(): void }

/** The fates of an attempt's requests by its trouble, and the gate of the one that is held. */
export function fatesOf(trouble: Trouble, coverage: Coverage): { readonly decide: Decide; readonly gate: Gate } {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const storm = trouble.kind === 'storm' ? drawFrom('storm', trouble.seed) : undefined
  let [count, left] = [0, trouble.kind === 'shot' ? trouble.times : 0]
  const decide: Decide = (_, boundary, job) => {
    const name = nameOf(boundary)
    coverage.met.add(name)
    const fate = choose(boundary, job)
    if (fate !== undefined) coverage.hit.add(name)
    return fate
  }
  const choose = (boundary: Boundary, job: Job): Fate | undefined => {
    if (storm !== undefined) return storm.chance(1 / 7) ? weather(storm) : undefined
    if (trouble.kind !== 'shot' || left === 0) return undefined
    const { what, where, times } = trouble
    const fits = boundary.step === (where.step ?? boundary.step) && boundary.method === (where.method ?? boundary.method)
    if (fits) count += 1
    // Once begun, a fault goes on with whatever comes next.
    const isHere = left < times ? where.method === undefined || fits : fits && count >= where.nth
    if (!isHere) return undefined
    left = ['killBefore', 'killAfter', 'killLate', 'term', 'hold'].includes(what) ? 0 : left - 1
    return fateOf(what, job, () => {
      reached.resolve()
      return opened.promise
    })
  }
  return { decide, gate: { reached: reached.promise, open: () => opened.resolve() } }
}

function fateOf(what: Shot, job: Job, held: () => Promise<void>): Fate {
  switch (what) {
    case 'killBefore':
      return { kind: 'cutBefore', before: () => job.kill() }
    case 'killAfter':
      return { kind: 'dropAnswer', after: () => job.kill() }
    case 'killLate':
      return { kind: 'pass', before: () => job.kill().then(held) }
    case 'term':
      return { kind: 'pass', before: () => job.kill('SIGTERM') }
    case 'hold':
      return { kind: 'pass', before: held }
    case 'delay':
      return { kind: 'pass', before: 150, after: 150 }
    default:
      return { kind: what }
  }
}

function weather(storm: Draw): Fate {
  const kind = storm.pick(['dropAnswer', 'cutBefore', 'unavailable', 'unavailableAfter', 'pass'] as const)
  return kind === 'pass' ? { kind, before: storm.int(1, 100), after: storm.int(1, 100) } : { kind }
}

function nameOf({ step, method, resource }: Boundary): string {
  return `${step} ${method} ${resource}`
}
