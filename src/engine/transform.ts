import type { AnyRow } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'
import type { Bare, RunEvent } from '../domain/event.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Scope } from '../domain/run.ts'
import type { Ports } from '../ports/index.ts'
import { call, checkResult } from './author.ts'
import { readerOf, readRequest } from './plan.ts'
import { readChecked, slicesOf } from './read.ts'

type Rows = readonly Record<string, unknown>[]
type Pages = AsyncIterable<Rows>
export type Progress = (event: Bare<Extract<RunEvent, { kind: 'reading' | 'transformed' }>>) => void

/** Reads, transforms and checks: pages of result rows, in the memory of one slice. Nothing here knows where rows come from or go to. */
export async function* transformed(
  pipeline: NamedPipeline,
  scope: Scope,
  ports: Pick<Ports, 'readers'>,
  signal: AbortSignal,
  progress: Progress,
): AsyncGenerator<readonly AnyRow[]> {
  const sources = Object.entries(pipeline.from).map(([name, source]) => {
    let read = 0
    const onPage = (rows: number) => {
      read += rows
      progress({ kind: 'reading', source: name, rows: read })
    }
    return {
      name,
      pages: readChecked(name, source, readerOf(source, ports.readers), readRequest(pipeline, source, scope), signal, onPage),
    }
  })
  let written = 0
  for await (const { slice, rowsIn, out, done, of } of results(pipeline, scope, sources)) {
    const rows = checkResult(pipeline, out, slice, written)
    written += rows.length
    progress({ kind: 'transformed', slice, rowsIn, rowsOut: rows.length, done, of })
    yield rows
  }
}

type Result = { slice: string | null; rowsIn: number; out: readonly unknown[]; done: number; of: number }
type Named = { readonly name: string; readonly pages: Pages }

function results(pipeline: NamedPipeline, scope: Scope, sources: readonly Named[]): AsyncGenerator<Result> {
  const { transform, write } = pipeline
  if (transform.kind === 'none') return byPage(sources, page => page)
  if (transform.kind === 'each')
    return byPage(sources, (page, name) => page.flatMap(row => [...call(pipeline, null, () => transform.each({ [name]: row }))]))
  if (transform.kind === 'sql') throw new EtlError('bug', 'a sql transform has no rows to read')
  const { rows } = transform
  return write.mode === 'partition'
    ? bySlice(scope ?? [], write.column, sources, (given, slice) => call(pipeline, slice, () => rows(given)))
    : atOnce(sources, given => call(pipeline, null, () => rows(given)))
}

async function* byPage(
  sources: readonly Named[],
  transform: (page: Rows, name: string) => readonly unknown[],
): AsyncGenerator<Result> {
  for (const { name, pages } of sources) {
    for await (const page of pages) yield { slice: null, rowsIn: page.length, out: transform(page, name), done: 0, of: 0 }
  }
}

async function* atOnce(
  sources: readonly Named[],
  transform: (given: Record<string, Rows>) => readonly unknown[],
): AsyncGenerator<Result> {
  const given: Record<string, Rows> = {}
  for (const { name, pages } of sources) {
    const all: Record<string, unknown>[] = []
    for await (const page of pages) for (const row of page) all.push(row)
    given[name] = all
  }
  yield { slice: null, rowsIn: sizes(given), out: transform(given), done: 1, of: 1 }
}

/** Every source is sorted by the slice column, so that one slice of each is in memory at a time; a source without rows of a slice gives none. */
async function* bySlice(
  scope: readonly string[],
  column: string,
  sources: readonly Named[],
  transform: (given: Record<string, Rows>, slice: string) => readonly unknown[],
): AsyncGenerator<Result> {
  const streams = await Promise.all(
    sources.map(async ({ name, pages }) => {
      const slices = slicesOf(pages, column)
      return { name, slices, next: await slices.next() }
    }),
  )
  let done = 0
  for (const slice of scope) {
    const given: Record<string, Rows> = {}
    for (const stream of streams) {
      const here = stream.next.done !== true && stream.next.value.date === slice
      given[stream.name] = here ? stream.next.value.rows : []
    }
    yield { slice, rowsIn: sizes(given), out: transform(given, slice), done: ++done, of: scope.length }
    for (const stream of streams) {
      if (stream.next.done !== true && stream.next.value.date === slice) stream.next = await stream.slices.next()
    }
  }
}

function sizes(given: Record<string, Rows>): number {
  return Object.values(given).reduce((sum, rows) => sum + rows.length, 0)
}
