import { promised } from '../domain/check.ts'
import type { AnyRow } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import type { Bare, RunEvent } from '../domain/event.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import type { Scope } from '../domain/run.ts'
import type { Source } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { KeyFilter } from '../ports/reader.ts'
import { call, checkResult, type Made, refuseStrays } from './author.ts'
import { wantedOf } from './previous.ts'
import { readChecked, slicesOf } from './read.ts'
import { asOf, readerOf, readRequest } from './request.ts'

type Rows = readonly Record<string, unknown>[]
type Pages = AsyncIterable<Rows>
export type Progress = (event: Bare<Extract<RunEvent, { kind: 'way' | 'reading' | 'transformed' }>>) => void

/** Reads, transforms and checks: pages of result rows, in the memory of one slice. Nothing here knows where rows come from or go to. */
export async function* transformed(
  pipeline: NamedPipeline,
  { scope, windows, moment }: Pick<Plan, 'scope' | 'windows' | 'moment'>,
  ports: Pick<Ports, 'readers'>,
  signal: AbortSignal,
  progress: Progress,
): AsyncGenerator<readonly AnyRow[]> {
  const own = new AbortController()
  const either = AbortSignal.any([signal, own.signal])
  const sources = Object.entries(pipeline.from).map(([name, source]) => {
    let read = 0
    const onPage = (rows: number) => {
      read += rows
      progress({ kind: 'reading', source: name, rows: read })
    }
    const request = { ...readRequest(pipeline, source, scope, windows[name] ?? null), asOf: asOf(moment, name) }
    const open = (keys: KeyFilter | null) =>
      readChecked(name, source, readerOf(source, ports.readers), { ...request, keys }, either, onPage, by =>
        progress({ kind: 'way', source: name, by }),
      )
    return { name, isSelf: source.kind === 'self', open }
  })
  let written = 0
  for await (const result of results(pipeline, scope, sources, () => own.abort())) {
    const { slice, rowsIn, done, of } = result
    const rows = checkResult(pipeline, result, written)
    written += rows.length
    progress({ kind: 'transformed', slice, rowsIn, rowsOut: rows.length, done, of })
    yield rows
  }
}

type Result = Made & { readonly rowsIn: number; readonly done: number; readonly of: number }
type Named = {
  readonly name: string
  /** The target itself: read last, and only the rows that the others are about. */
  readonly isSelf: boolean
  open(keys: KeyFilter | null): Pages
}

function results(pipeline: NamedPipeline, scope: Scope, sources: readonly Named[], abandon: () => void): AsyncGenerator<Result> {
  const { transform, write } = pipeline
  if (transform.kind === 'none') return byPage(sources, page => ({ out: page }))
  if (transform.kind === 'each') {
    return byPage(sources, (page, name) => {
      const { row: schema } = pipeline.from[name] as Source
      const promises = promised(schema)
      const out: unknown[] = []
      const [rows, before]: [unknown[], unknown[]] = [[], []]
      for (const row of page) {
        // The function may change what it is given, and then take it over.
        const promise = promises(row)
        for (const made of oneRow(pipeline, transform, name, row)) {
          out.push(made)
          rows.push(row)
          before.push(promise)
        }
      }
      return { out, madeFrom: { row: schema, rows, before } }
    })
  }
  if (transform.kind === 'sql') throw new EtlError('bug', 'a sql transform has no rows to read')
  const { rows } = transform
  return write.mode === 'partition'
    ? bySlice(scope ?? [], write.column, sources, abandon, (given, slice) => call(pipeline, slice, () => rows(given)))
    : atOnce(pipeline, sources, given => call(pipeline, null, () => rows(given)))
}

async function* byPage(
  sources: readonly Named[],
  transform: (page: Rows, name: string) => Pick<Made, 'out' | 'madeFrom'>,
): AsyncGenerator<Result> {
  for (const { name, open } of sources) {
    for await (const page of open(null))
      yield { ...transform(page, name), slice: null, isPart: true, rowsIn: page.length, done: 0, of: 0 }
  }
}

async function* atOnce(
  pipeline: NamedPipeline,
  sources: readonly Named[],
  transform: (given: Record<string, Rows>) => readonly unknown[],
): AsyncGenerator<Result> {
  const given: Record<string, Rows> = {}
  for (const { name, isSelf, open } of [...sources].sort((a, b) => Number(a.isSelf) - Number(b.isSelf))) {
    const wanted = isSelf ? wantedOf(pipeline.to.row, pipeline.from, given) : undefined
    const all: Record<string, unknown>[] = []
    for await (const page of open(wanted?.keys ?? null))
      for (const row of page) if (wanted === undefined || wanted.has(row as AnyRow)) all.push(row)
    given[name] = all
  }
  yield { slice: null, isPart: false, rowsIn: sizes(given), out: transform(given), done: 1, of: 1 }
}

/** Every source is sorted by the slice column, so that one slice of each is in memory at a time; a source without rows of a slice gives none. */
async function* bySlice(
  scope: readonly string[],
  column: string,
  sources: readonly Named[],
  abandon: () => void,
  transform: (given: Record<string, Rows>, slice: string) => readonly unknown[],
): AsyncGenerator<Result> {
  const streams = sources.map(({ name, open }) => ({ name, slices: slicesOf(open(null), column) }))
  try {
    const heads = new Map<string, Slice | undefined>()
    const advance = async ({ name, slices }: (typeof streams)[number]) => {
      const next = await slices.next()
      heads.set(name, next.done === true ? undefined : next.value)
    }
    await Promise.all(streams.map(advance))
    let done = 0
    for (const slice of scope) {
      const here = streams.filter(({ name }) => heads.get(name)?.date === slice)
      const given = Object.fromEntries(
        streams.map(stream => [stream.name, here.includes(stream) ? (heads.get(stream.name)?.rows ?? []) : []]),
      )
      // A slice that every source has lost has no rows to work on: it is recomputed to nothing.
      const out = here.length === 0 ? [] : transform(given, slice)
      yield { slice, isPart: false, rowsIn: sizes(given), out, done: ++done, of: scope.length }
      await Promise.all(here.map(advance))
    }
    const stuck = streams.find(({ name }) => heads.get(name) !== undefined)
    if (stuck !== undefined) {
      throw new EtlError('bug', `the source ${stuck.name} gave rows of ${heads.get(stuck.name)?.date}, which nobody asked for.`, {
        hint: 'a defect of the reader; please report it',
      })
    }
  } finally {
    // What the author's function throws must not leave a reader at work, nor wait for another's query.
    abandon()
    await Promise.all(streams.map(({ slices }) => slices.return(undefined)))
  }
}

type Slice = { readonly date: string; readonly rows: Rows }

/** One row through `each`; in a sliced pipeline its results stay in its slice, since they are replaced with it. */
function oneRow(
  pipeline: NamedPipeline,
  transform: { readonly each: (row: Readonly<Record<string, Record<string, unknown>>>) => readonly unknown[] },
  name: string,
  row: Record<string, unknown>,
): readonly unknown[] {
  const slice = pipeline.write.mode === 'partition' ? String(row[pipeline.write.column]) : null
  const out = call(pipeline, slice, () => transform.each({ [name]: row }))
  if (slice !== null) refuseStrays(pipeline, out as readonly Record<string, unknown>[], slice, 0)
  return out
}

function sizes(given: Record<string, Rows>): number {
  return Object.values(given).reduce((sum, rows) => sum + rows.length, 0)
}
