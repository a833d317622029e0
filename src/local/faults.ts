import type { Answer, Call, Routes } from './call.ts'
import { BigQueryError } from './contract.ts'
import { integer, type JsonObject, optional, text } from './json.ts'

const kinds = ['dropAnswer', 'unavailableAfter', 'unavailable', 'rateLimit', 'delayCommit', 'holdCommit'] as const

/**
 * A fault that a test asks for.
 * - `dropAnswer`: the request is carried out, then the connection is cut without an answer.
 * - `unavailableAfter`: the request is carried out, then answered 503.
 * - `unavailable`, `rateLimit`: the request isn't carried out and is answered 503, or 403 with the reason rateLimitExceeded.
 * - `delayCommit`: a job waits `ms` milliseconds right before it commits. `holdCommit`: it waits until the faults are cleared.
 */
export type Fault = {
  readonly kind: (typeof kinds)[number]
  /** HTTP method; any, if absent. */
  readonly method?: string
  /** A regular expression for the path without /bigquery/v2; for the two about commits, for the job's id. Any, if absent. */
  readonly match?: string
  /** How many requests or commits it spoils; 1 if absent. */
  readonly times?: number
  readonly ms?: number
}

export type Faults = {
  add(fault: Fault): void
  /** Takes one fault of a request, if one fits. */
  take(method: string, path: string): Fault | undefined
  /** Waits as the faults about commits say. */
  beforeCommit(jobId: string): Promise<void>
  clear(): void
  readonly routes: Routes
}

/** The faults of one server: none, until a test adds some by option or by `POST /_local/faults`. `DELETE /_local/faults` clears them. */
export function createFaults(first: readonly Fault[] = []): Faults {
  let waiting: { fault: Fault; left: number }[] = []
  let held: (() => void)[] = []
  const add = (fault: Fault) => {
    waiting.push({ fault, left: fault.times ?? 1 })
  }
  const takeWhere = (fits: (fault: Fault) => boolean) => {
    const found = waiting.find(each => fits(each.fault))
    if (!found) return undefined
    found.left -= 1
    if (found.left <= 0) waiting = waiting.filter(each => each !== found)
    return found.fault
  }
  const clear = () => {
    waiting = []
    for (const release of held) release()
    held = []
  }
  for (const fault of first) add(fault)
  return {
    add,
    clear,
    take: (method, path) =>
      takeWhere(
        fault => !isAboutCommits(fault) && (fault.method ?? method) === method && new RegExp(fault.match ?? '').test(path),
      ),
    async beforeCommit(jobId) {
      const fault = takeWhere(each => isAboutCommits(each) && new RegExp(each.match ?? '').test(jobId))
      if (fault?.kind === 'delayCommit') await new Promise(done => setTimeout(done, fault.ms ?? 100))
      if (fault?.kind === 'holdCommit') await new Promise<void>(done => held.push(done))
    },
    routes: {
      'GET /_local/faults': async () => ({
        body: { faults: waiting.map(({ fault, left }) => ({ ...fault, left })), held: held.length },
      }),
      'POST /_local/faults': async (call: Call): Promise<Answer> => {
        add(readFault(await call.json()))
        return { body: { faults: waiting.length } }
      },
      'DELETE /_local/faults': async () => {
        clear()
        return { body: { faults: 0 } }
      },
    },
  }
}

const isAboutCommits = (fault: Fault) => fault.kind === 'delayCommit' || fault.kind === 'holdCommit'

function readFault(json: JsonObject): Fault {
  const kind = kinds.find(each => each === json.kind)
  if (!kind) throw new BigQueryError('invalid', `A fault needs a kind, one of ${kinds.join(', ')}.`)
  const [method, match] = [optional(json.method, text), optional(json.match, text)]
  const [times, ms] = [optional(json.times, integer), optional(json.ms, integer)]
  return {
    kind,
    ...(method === undefined ? {} : { method }),
    ...(match === undefined ? {} : { match }),
    ...(times === undefined ? {} : { times }),
    ...(ms === undefined ? {} : { ms }),
  }
}
