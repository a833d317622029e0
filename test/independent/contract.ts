import { faultsContract } from './faults.ts'
import { jobsContract } from './jobs.ts'
import { loadsContract } from './loads.ts'
import { mergingContract } from './merging.ts'
import { momentContract } from './moment.ts'
import { publishingContract } from './publishing.ts'
import { storageContract } from './storage.ts'
import type { Subject } from './subject.ts'
import { tablesContract } from './tables.ts'
import { typesContract } from './types.ts'

/** Milliseconds for a test: a machine with much else to do is slow. */
export const patience = { timeout: 180_000 }

/** What our adapter asks of a BigQuery server. */
export function contract(on: Subject): void {
  jobsContract(on)
  tablesContract(on)
  loadsContract(on)
  publishingContract(on)
  mergingContract(on)
  momentContract(on)
  // Ours is asked for every type by test/types-through-a-run.test.ts.
  if (on.name === 'independent') typesContract(on)
  // Ours has no Storage Read API.
  if (on.name === 'independent') storageContract(on)
  faultsContract(on)
}
