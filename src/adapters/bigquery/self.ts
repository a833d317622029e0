import { nameIn } from '../../domain/env.ts'
import { type SelfSource, type TableSource, tableName } from '../../domain/source.ts'
import type { Reader } from '../../ports/reader.ts'
import type { Api } from './api.ts'
import { findTable } from './tables.ts'
import { type Names, sourceRef } from './text.ts'

/** Reads the target of a pipeline as the last version left it; before the first version it has no rows. */
export function createSelfReader(api: Api, reader: Reader<TableSource>, names: Names): Reader<SelfSource> {
  const tableOf = ({ row, to }: SelfSource): TableSource => ({
    kind: 'table',
    row,
    table: `${nameIn(to.dataset, names.environment)}.${to.table}`,
    large: false,
    maxBytes: Number.MAX_SAFE_INTEGER,
  })
  const exists = async (source: SelfSource) => (await findTable(api, sourceRef(names, tableOf(source)))) !== undefined
  return {
    async facts(source) {
      if (await exists(source)) return reader.facts(tableOf(source))
      return { name: `${tableName(sourceRef(names, tableOf(source)))}, not made yet`, columns: [], rows: 0 }
    },
    dates: async () => [],
    async *read(source, request, signal) {
      if (await exists(source)) yield* reader.read(tableOf(source), request, signal)
    },
    text: (source, request) => reader.text(tableOf(source), request),
  }
}
