import { randomBytes } from 'node:crypto'
import type { ExternalSource, QuerySource, SelfSource, TableSource } from '../../domain/source.ts'
import type { Reader } from '../../ports/reader.ts'
import type { Warehouse } from '../../ports/warehouse.ts'
import { type Options, openApi } from './api.ts'
import type { RawRow } from './decode.ts'
import { createExternalReader } from './external.ts'
import { createJobs } from './jobs.ts'
import { createQueryReader } from './query-reader.ts'
import { createReader, readingOf } from './reader.ts'
import { createSelfReader } from './self.ts'
import { scanned } from './stream.ts'
import type { Names } from './text.ts'
import { createWarehouse } from './warehouse.ts'

/** BigQuery, as a run sees it. */
export type BigQueryAdapter = {
  readonly reader: Reader<TableSource>
  readonly self: Reader<SelfSource>
  readonly query: Reader<QuerySource>
  readonly external: Reader<ExternalSource>
  readonly warehouse: Warehouse
  /** The pages of a read as they come, nothing decoded: what a benchmark compares with. */
  scan(
    source: TableSource,
    request: Parameters<Reader<TableSource>['read']>[1],
    signal: AbortSignal,
  ): AsyncIterable<readonly RawRow[]>
}

/**
 * Connects to BigQuery, or to an emulator at `endpoint`, then without credentials. Nothing is sent yet.
 * `environment` chooses in `env({ … })`.
 */
export async function connect(options: Options & { readonly environment: string }): Promise<BigQueryAdapter> {
  const api = await openApi(options)
  const names: Names = { project: options.project, location: options.location, environment: options.environment }
  const jobs = createJobs(api, randomBytes(16).toString('hex'))
  const reader = createReader(api, jobs, names)
  return {
    reader,
    self: createSelfReader(api, reader, names),
    query: createQueryReader(api, jobs, names),
    external: createExternalReader(api, jobs, names),
    warehouse: createWarehouse(api, jobs, names),
    scan: (source, request, signal) => scanned(api, jobs, readingOf(names, source, request, 'scan'), signal),
  }
}
