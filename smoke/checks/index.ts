import type { Check } from '../check.ts'
import { concurrency } from './concurrency.ts'
import { evolution } from './evolve.ts'
import { jobChecks } from './jobs.ts'
import { kept } from './kept.ts'
import { modes } from './modes.ts'
import { oneMoment } from './moment.ts'
import { partitions } from './partitions.ts'
import { rights } from './rights.ts'
import { tables } from './tables.ts'
import { transactions } from './transactions.ts'
import { values } from './values.ts'
import { authorisedView } from './view.ts'

/** All checks by their numbers: 1 to 15 are the protocol's, the others came with the code that rests on them. */
export const checks: readonly Check[] = [
  ...concurrency,
  ...transactions,
  ...tables,
  ...jobChecks,
  ...values,
  ...rights,
  ...modes,
  ...partitions,
  evolution,
  kept,
  authorisedView,
  oneMoment,
].sort((a, b) => a.number - b.number)
