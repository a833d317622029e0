import type { Names } from './names.ts'
import type { World } from './world.ts'

/** How a check ended: it holds, it doesn't, or nobody can say here. */
export type Mark = '✔' | '✘' | '–'

/** `evidence`: one line, in the service's own words where it said something; never a row of anybody's. */
export type Verdict = { readonly mark: Mark; readonly evidence: string }

/** One question to the service. `--dry` prints it whole; what it prints is what is sent. */
export type Check = {
  readonly number: number
  readonly title: string
  readonly does: string
  /** The sentence of Google's documentation that it verifies, or `[unv]` and what nobody has seen. */
  readonly verifies: string
  /** What we would change, were it ✘; docs/smoke.md has it word for word. */
  readonly otherwise: string
  /** At most: publications, and references to tables in other statements; each bills 10 MB at least. */
  readonly cost: { readonly publications?: number; readonly tables?: number }
  /** SQL, or method and path of what is not SQL. */
  readonly statements: (names: Names) => readonly string[]
  readonly run: (world: World) => Promise<Verdict>
}

export const holds = (evidence: string): Verdict => ({ mark: '✔', evidence })
export const fails = (evidence: string): Verdict => ({ mark: '✘', evidence })
export const skipped = (why: string): Verdict => ({ mark: '–', evidence: why })
export const notLocal = (more = ''): Verdict => skipped(`not on the local server${more}`)

/** ✔ if it is so, ✘ if not; the evidence says in both cases what was seen. */
export function seen(isSo: boolean, evidence: string): Verdict {
  return isSo ? holds(evidence) : fails(evidence)
}

/** MB that one reference to a table bills at least (BigQuery pricing: "a minimum of 10 MB of data processed per table referenced by the query"). */
const leastMegabytes = 10
/** References to tables in one publish script: head, ledger, stage twice, target, history. */
const tablesOfPublication = 12

/** MB that the checks bill at most: their tables hold a few rows, so that the least is all there is. */
export function megabytes(checks: readonly Pick<Check, 'cost'>[]): number {
  const tables = checks.map(({ cost }) => (cost.publications ?? 0) * tablesOfPublication + (cost.tables ?? 0))
  return tables.reduce((sum, count) => sum + count, 0) * leastMegabytes
}
