// What a run needs from outside.
import type { Clock } from './clock.ts'
import type { Readers } from './reader.ts'
import type { Report } from './report.ts'
import type { Spool } from './spool.ts'
import type { Warehouse } from './warehouse.ts'

export type Ports = {
  readonly readers: Readers
  readonly warehouse: Warehouse
  readonly spool: Spool
  readonly clock: Clock
  readonly report: Report
}
