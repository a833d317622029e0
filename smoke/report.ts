import type { Check, Mark, Verdict } from './check.ts'

/** A check and how it ended. */
export type Line = { readonly check: Check; readonly verdict: Verdict; readonly seconds: number }

/** One line for the terminal. */
export function lineText({ check, verdict }: Pick<Line, 'check' | 'verdict'>): string {
  return `${verdict.mark} ${check.number} ${check.title}: ${verdict.evidence}`
}

/** `20 ✔, 0 ✘, 3 –`. */
export function counts(lines: readonly Line[]): string {
  const count = (mark: Mark) => lines.filter(({ verdict }) => verdict.mark === mark).length
  return (['✔', '✘', '–'] as const).map(mark => `${count(mark)} ${mark}`).join(', ')
}

export type Facts = {
  readonly date: string
  readonly where: string
  readonly isService: boolean
  readonly node: string
  readonly megabytes: number
  /** What could not be deleted. */
  readonly left: readonly string[]
}

/** The page that is kept. */
export function page(facts: Facts, lines: readonly Line[]): string {
  const rows = lines.map(
    ({ check, verdict, seconds }) =>
      `| ${check.number} | ${verdict.mark} | ${cell(check.title)} | ${cell(verdict.evidence)} | ${seconds.toFixed(1)} |`,
  )
  const worth = facts.isService
    ? ''
    : 'This is **not** the service: a server that follows its documentation. The page shows that the checks run, and how our server answers; of BigQuery it shows nothing.\n\n'
  const bad = lines.filter(({ verdict }) => verdict.mark === '✘')
  return `# Smoke test, ${facts.date}

${facts.where}, Node ${facts.node}. ${counts(lines)}. Billed at most ${facts.megabytes} MB.

${worth}Two transactions are made to overlap by work that the service does: before the COMMIT of the first stand SELECTs that read no table, each a job of its own (our local
server holds the commit itself). The second one starts when a child job of the first that changed rows is done.

| # | | check | evidence | s |
|---:|---|---|---|---:|
${rows.join('\n')}
${bad.length === 0 ? '' : `\n## What ✘ means\n\n${bad.map(({ check }) => `- ${check.number}: ${check.otherwise}.`).join('\n')}\n`}${facts.left.map(name => `\nNot deleted, it expires by itself: ${name}\n`).join('')}`
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s+/g, ' ')
}
