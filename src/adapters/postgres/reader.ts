import type { Column } from '../../domain/column.ts'
import { EtlError } from '../../domain/error.ts'
import { pgLiteral } from '../../domain/pg.ts'
import { pgRead } from '../../domain/pg-read.ts'
import { pgTimes, windowOf, windowSql } from '../../domain/pg-window.ts'
import type { PostgresSource } from '../../domain/source.ts'
import { isDate } from '../../domain/text.ts'
import type { Page, Reader, ReadRequest } from '../../ports/reader.ts'
import type { VectorPage } from '../../ports/vectors.ts'
import { copyOut, type Frame } from './copy.ts'
import { rowPages, vectorPages } from './decode.ts'
import { describe, type Read, readsOf } from './describe.ts'
import { toEtlError } from './errors.ts'
import { connect, type Reach, type Session } from './session.ts'
import { createSnapshots } from './snapshot.ts'

/** Reads a Postgres by COPY; all reads until `end` are of one moment, and what is asked for a plan is of now. */
export function createPostgresReader(reach: Reach): Reader<PostgresSource> {
  const snapshots = createSnapshots(reach)
  const asking = async <T>(source: PostgresSource, work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const session = await connect(reach, source.database, signal)
    const stop = () => void session.cancel()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await work(session)
    } catch (error) {
      if (signal?.aborted) throw new EtlError('stopped', 'told to stop while it asked a Postgres.', { cause: error })
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
      await session.end()
    }
  }
  /** Frames of the request, by the snapshot's session. */
  async function* copied<P>(
    source: PostgresSource,
    request: ReadRequest,
    signal: AbortSignal,
    decoded: (frames: AsyncIterable<Frame>, reads: readonly Read[]) => AsyncIterable<P>,
  ): AsyncGenerator<P> {
    const { session, free } = await snapshots.session(source.database, signal)
    const stop = () => void session.cancel()
    let isWhole = false
    signal.addEventListener('abort', stop, { once: true })
    try {
      const reads = readsOf(source, request.columns, await describe(session, source))
      if (signal.aborted) return
      const sql = `COPY (${readSql(source, request, reads)}) TO STDOUT (FORMAT binary)`
      yield* decoded(copyOut(session.client, sql, reads.length), reads)
      isWhole = true
    } catch (error) {
      if (!signal.aborted) throw toEtlError(error, source.database)
    } finally {
      signal.removeEventListener('abort', stop)
      await free(isWhole)
    }
  }
  return {
    facts: (source, signal) =>
      asking(
        source,
        async session => {
          const there = await describe(session, source)
          readsOf(source, source.row.columns, there)
          return {
            name: `Postgres ${source.database}`,
            columns: there.map(({ name, type }) => ({ name, type: type.text.toUpperCase() })),
            rows: null,
          }
        },
        signal,
      ),
    dates: (source, column, upTo, signal) =>
      asking(
        source,
        async session => datesOf(source, column, upTo, (await session.query(datesSql(source, column, upTo))).rows),
        signal,
      ),
    read(source, request, signal, told) {
      told?.('COPY, row by row for the transform')
      return copied<Page>(source, request, signal, rowPages)
    },
    bulk(source, request, signal, told) {
      told?.('COPY, in bulk: no transform asks for rows')
      return copied<VectorPage>(source, request, signal, vectorPages)
    },
    window: (source, mark, signal) =>
      asking(
        source,
        async session => windowOf(source, mark, pgTimes((await session.query(windowSql(source))).rows[0] ?? {})),
        signal,
      ),
    text: (source, request) => pgRead(source.query, request),
    end: () => snapshots.end(),
  }
}

function readSql(source: PostgresSource, request: ReadRequest, reads: readonly Read[]): string {
  const casts = new Map(reads.map(({ column, cast }) => [column.name, cast]))
  return pgRead(source.query, request, name => {
    const cast = casts.get(name)
    return cast === null || cast === undefined ? pgLiteral.name(name) : `${pgLiteral.name(name)}::${cast}`
  })
}

function datesSql({ query }: PostgresSource, column: string, upTo: string): string {
  const name = pgLiteral.name(column)
  return `SELECT DISTINCT ${name}::date::text AS date FROM (\n${query.text}\n) AS q WHERE ${name} <= DATE ${pgLiteral.string(upTo)} OR ${name} IS NULL ORDER BY 1`
}

function datesOf(
  source: PostgresSource,
  column: string,
  upTo: string,
  rows: readonly { date: string | null }[],
): readonly string[] {
  const found: Column | undefined = source.row.columns.find(({ name }) => name === column)
  const refuse = (got: string) =>
    new EtlError('row', `the dates of Postgres ${source.database}: ${column} holds ${got}.`, {
      hint: 'a row without a date belongs to no slice: filter it in the query',
    })
  return rows.flatMap(({ date }) => {
    if (date === null && found?.mode === 'REQUIRED') throw refuse('NULL, the row schema says it is required')
    if (date !== null && !isDate(date)) throw refuse('infinity, or a day before the year 1')
    return date !== null && date <= upTo ? [date] : []
  })
}
