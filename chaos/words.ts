import type { Finding, KnownRun } from './finding.ts'
import type { Ended } from './job.ts'
import { type Found, microsOf } from './ledger.ts'

/** Holds what a run's processes said, by exit code and last line, against what is there. */
export function judgeEnds(known: KnownRun, found: Found): readonly Finding[] {
  const findings = known.ends.flatMap(({ ended }) => {
    const text = lie(ended, found)
    return text === undefined ? [] : [`${ended.run}: ${text}`]
  })
  const last = known.ends.at(-1)?.ended
  if (known.mustEndWell && last !== undefined && last.code !== 0)
    findings.push(`${known.run}: its last attempt met no fault and nobody else, and ended with ${last.code}: ${lastLine(last)}`)
  return findings.map(text => ({ kind: 'lost', text }))
}

function lie(ended: Ended, { publications, head }: Found): string | undefined {
  if (ended.hung) return 'hung until it was killed'
  if (ended.signal !== null) return undefined
  const line = ended.lines.at(-1)
  if (line === undefined) return `ended with ${ended.code} without a word: ${ended.text.slice(0, 300)}`
  const own = publications.filter(({ run }) => run === ended.run)
  const byAttempt = own.filter(({ attempt }) => attempt === line.attempt)
  if (ended.code !== 0) {
    if (line.event !== 'failed') return `ended with ${ended.code} and its last word is ${line.event}`
    return line.published === false && byAttempt.length > 0 ? 'said that nothing was published, and had published' : undefined
  }
  switch (line.event) {
    case 'published':
      return byAttempt.some(({ version }) => version === microsOf(line.version ?? ''))
        ? undefined
        : `said that it published ${line.version}, and the ledger has no such publication`
    case 'alreadyPublished':
      return own.length > 0 ? undefined : 'said that its run had published, and the ledger has no such publication'
    case 'superseded':
      return publications.some(({ run, version }) => run !== ended.run && version >= microsOf(line.version ?? ''))
        ? undefined
        : 'said that a newer version stands, and there is none'
    case 'held':
      return publications.some(({ event }) => event === 'restored') || head[0]?.held === true
        ? undefined
        : 'said that the target is held, and it never was'
    default:
      return `ended with 0 and its last word is ${line.event}`
  }
}

function lastLine({ lines, text }: Ended): string {
  const line = lines.at(-1)
  return line === undefined ? text.slice(-300) : `${line.event} ${line.error ?? ''}`
}
