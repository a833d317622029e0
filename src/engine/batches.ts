import { EtlError } from '../domain/error.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import { isPublication, type LedgerRow } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Partition, WriteMode } from '../domain/write.ts'
import type { Ports } from '../ports/index.ts'
import { tablesOf } from './plan.ts'
import type { Batch, RunRequest, Settings } from './settings.ts'
import { type Bounds, boundedList, ofThisHead } from './slices.ts'
import { step, untilStopped } from './step.ts'
import { lastTick, localDate } from './tick.ts'
import { sourceDates } from './work.ts'

/** A backfill as somebody asks for it. */
export type Wanted = Bounds & {
  /** The run whose batches these are: one that was begun is gone on with. */
  readonly run: string
  /** At most so many slices a batch; `maxSlices` if left out. */
  readonly size?: number
}

/** A batch that is still to be done; `slices` ascend. */
export type NumberedBatch = Batch & { readonly number: number; readonly slices: readonly string[] }

/** The batches that are left of a backfill. */
export type Batches = {
  readonly left: readonly NumberedBatch[]
  /** Slices that earlier batches of this run have published. */
  readonly finished: number
  /** Is there anything of this run in the ledger? */
  readonly begun: boolean
}

/**
 * The batches of a backfill that its run has not published yet: the work list with bounds, cut. Batch 1 is the run itself, the others are `RUN~2`, `RUN~3`, …; what a
 * rollback undid is to be done again, under new numbers. Only reads.
 * @throws EtlError `usage` where the write mode has no slices, the bounds hold none, or the target is held.
 */
export async function batchesOf(
  pipeline: NamedPipeline,
  wanted: Wanted,
  request: RunRequest,
  ports: Pick<Ports, 'readers' | 'warehouse'>,
  settings: Settings,
  signal: AbortSignal,
): Promise<Batches> {
  const targets = partsOf(pipeline).map(part => ({ part, write: slicedOnly(part) }))
  const lists = await Promise.all(targets.map(one => listOf(one, wanted, request, ports, settings, signal)))
  const order = [...new Set(lists.flatMap(({ due }) => due))]
  const size = Math.min(wanted.size ?? 4000, ...targets.map(({ write }) => write.maxSlices))
  const published = Math.max(...lists.map(({ number }) => number))
  const left = Array.from({ length: Math.ceil(order.length / size) }, (_, index): NumberedBatch => {
    const slices = order.slice(index * size, (index + 1) * size).sort()
    const number = published + index + 1
    return {
      number,
      run: number === 1 ? wanted.run : `${wanted.run}~${number}`,
      slices,
      scopes: new Map(lists.map(({ target, due }) => [target, slices.filter(date => due.includes(date))])),
      left: Math.max(0, order.length - (index + 1) * size),
    }
  })
  return {
    left,
    finished: new Set(lists.flatMap(({ finished }) => [...finished])).size,
    begun: lists.some(({ begun }) => begun),
  }
}

async function listOf(
  { part, write }: { readonly part: NamedPipeline; readonly write: Partition },
  wanted: Wanted,
  request: RunRequest,
  ports: Pick<Ports, 'readers' | 'warehouse'>,
  settings: Settings,
  signal: AbortSignal,
) {
  const tables = tablesOf(part, settings)
  const target = tableName(tables.target)
  const state = await step({ step: 'plan' }, () => untilStopped(() => ports.warehouse.describe(part, tables, wanted.run), signal))
  if (state.head?.held === true)
    throw new EtlError('usage', `${target} is held at version ${state.head.version}: no batch would publish.`, {
      hint: `\`npm run etl -- release ${part.name}\` ends that`,
    })
  // The slot of a run by hand: the last tick.
  const upTo = localDate(request.slot ?? lastTick(part, state.now), part.timeZone)
  if (wanted.from > upTo)
    throw new EtlError('usage', `${wanted.from} has not come yet: the newest slice is that of ${upTo}.`, {
      hint: 'a slice is done from the schedule’s tick of its day on',
    })
  const ledger = ofThisHead(state.ledger, state.head)
  const { number, finished } = publishedBy(ledger, wanted.run)
  const dates = await sourceDates(part, write.column, upTo, ports, signal)
  return {
    target,
    number,
    finished,
    begun: state.ledger.some(row => batchNumber(row.run, wanted.run) !== undefined),
    due: boundedList(dates, ledger, write, upTo, wanted, finished),
  }
}

/** What batches of a run have published: the slices that no rollback has undone since, and the highest number. */
function publishedBy(ledger: readonly LedgerRow[], run: string): { number: number; finished: ReadonlySet<string> } {
  const finished = new Set<string>()
  let highest = 0
  for (const row of ledger.filter(isPublication)) {
    const number = batchNumber(row.run, run)
    if (number !== undefined) highest = Math.max(highest, number)
    for (const date of row.scope ?? []) {
      if (row.event === 'restored') finished.delete(date)
      else if (number !== undefined) finished.add(date)
    }
  }
  return { number: highest, finished }
}

/** Which batch of a run is this one? undefined for another run. */
function batchNumber(name: string, run: string): number | undefined {
  if (name === run) return 1
  const number = name.startsWith(`${run}~`) ? /^[1-9]\d*$/.exec(name.slice(run.length + 1)) : null
  return number === null ? undefined : Number(number[0])
}

/** @throws EtlError `usage`: other modes have no slices, each says what to do instead. */
function slicedOnly({ name, write, to }: NamedPipeline): Partition {
  if (write.mode === 'partition') return write
  throw new EtlError('usage', `${name} writes ${to.table} by ${write.mode}: ${whole[write.mode]}`, {
    hint: `${instead[write.mode].replace('NAME', name)}. Slices come with write: partition('column')`,
  })
}

type Whole = Exclude<WriteMode['mode'], 'partition'>

const whole: Readonly<Record<Whole, string>> = {
  replace: 'every run replaces everything, and the source shows only today. There is nothing to fill.',
  merge: 'every run changes rows by their key, of whatever day. There is nothing to fill by date.',
  append: 'every run adds rows, and a day that was done again would stand there twice.',
}

const instead: Readonly<Record<Whole, string>> = {
  replace: '`npm run etl -- run NAME` publishes what the source shows now',
  merge: '`npm run etl -- run NAME --full` reads all of the source again and changes what differs',
  append: '`npm run etl -- rollback NAME VERSION` takes added rows back, and `run` adds them anew',
}
