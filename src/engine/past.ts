import type { Past } from '../domain/replay.ts'
import type { Source } from '../domain/source.ts'

/** How a source keeps what it held: by what its reader found, or by its kind. */
export function pastOf(source: Source, found: Past | undefined): Past {
  switch (source.kind) {
    case 'file':
      return { kind: 'files' }
    case 'self':
      return { kind: 'self' }
    case 'table':
      return found ?? { kind: 'none', why: 'says nothing of what it keeps' }
    case 'query':
      return { kind: 'none', why: 'is a query: it shows what its tables hold now' }
    case 'external':
    case 'postgres':
      return { kind: 'none', why: 'is a Postgres, which keeps no past' }
  }
}
