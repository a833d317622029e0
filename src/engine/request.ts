import type { Window } from '../domain/changes.ts'
import type { Moment } from '../domain/moment.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Scope } from '../domain/run.ts'
import type { Source } from '../domain/source.ts'
import type { Reader, Readers, ReadRequest } from '../ports/reader.ts'

/** What each source is asked for. */
export function readRequest(pipeline: NamedPipeline, source: Source, scope: Scope, window: Window | null = null): ReadRequest {
  const { write } = pipeline
  return {
    columns: source.row.columns,
    slices: write.mode === 'partition' && scope !== null ? { column: write.column, dates: scope } : null,
    window,
  }
}

/** When a source is read as it was; null: as it is. */
export function asOf(moment: Moment | null, name: string): string | null {
  return moment?.pinned.includes(name) === true ? moment.at : null
}

/** The reader of a source. */
export function readerOf(source: Source, readers: Readers): Reader {
  return readers[source.kind] as Reader
}
