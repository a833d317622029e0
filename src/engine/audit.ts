import { auditChecks, type Broken, brokenPromises, stageLifetime } from '../domain/audit.ts'
import { type Days, dayColumn, daysFound } from '../domain/days.ts'
import { EtlError } from '../domain/error.ts'
import { budgetText, overBudget, type Sizes } from '../domain/expect.ts'
import type { Plan } from '../domain/plan.ts'
import type { Stage } from '../domain/run.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import type { Note } from '../ports/warehouse.ts'
import { sizesOf } from './budget.ts'
import { brokenAudits } from './own-audits.ts'
import { auditQuestion, promisesOf } from './promises.ts'

/**
 * What an audit found: how many promises it looked at, the hash of the rows (domain/content.ts), what was compared with the last version, and what
 * `--accept` let through.
 */
export type Audited = {
  readonly checks: number
  readonly content: string
  /** Days that bound the publication's look at the target. */
  readonly days: Days | undefined
  readonly budget: string | null
  readonly accepted: readonly string[]
}

/**
 * Asks the warehouse whether the stage that was filled keeps every promise of the row schema and of the author's own audits, and whether the result
 * is as large as expected; the rows stay where they are. `accept` lets a result pass that is out of its budget, nothing else. `staged` is noted before, in the
 * same call.
 * @throws EtlError `audit`; nothing is published, and the stage stays until it expires.
 */
export async function audit(
  plan: Plan,
  stage: Stage,
  { warehouse, clock }: Pick<Ports, 'warehouse' | 'clock'>,
  accept: boolean,
  staged?: Note,
): Promise<Audited> {
  const { pipeline } = plan
  const day = dayColumn(pipeline)
  const promises = promisesOf(pipeline, plan.scope)
  const question = auditQuestion(promises, stage.table, day)
  const [answer, own, sizes] = await Promise.all([
    staged === undefined ? warehouse.ask(question) : warehouse.noteAndAsk(staged, question),
    brokenAudits(pipeline, plan.tables, stage.table, warehouse),
    sizesOf(plan, stage, warehouse),
  ])
  const row = answer.rows[0]
  if (row === undefined) throw new EtlError('bug', 'the audit answered nothing.')
  // A whole NUMERIC has no fraction as text; the independent server writes its zeros all the same.
  const content = String(row.content).replace(/\.0+(?=-|$)/g, '')
  const broken = [...brokenPromises(row, promises, stage.rows), ...otherRows(stage, content), ...own]
  const isEmpty = isEmptied(plan, stage, sizes)
  const over = isEmpty ? [emptied(plan)] : overBudget(pipeline.expect, sizes)
  if (broken.length > 0 || (over.length > 0 && !accept)) {
    const stays = `nothing was published; the result stays in ${tableName(stage.table)} until ${expiry(clock.now())}`
    const columns = pipeline.to.row.columns.filter(column => column.pii === undefined).map(column => column.name)
    const show = { stage: stage.table, columns, limit: 20 }
    const look = broken.flatMap(({ rows }) => (rows === null ? [] : [rows(show)])).slice(0, 3)
    throw new EtlError('audit', [...broken.map(({ text }) => text), ...(accept ? [] : few(over))].join(' · '), {
      hint: [
        stays,
        ...(look.length === 0
          ? []
          : [`\`npm run etl -- rejected ${pipeline.name}\` shows the rows, or in the console: ${look.join('; ')}`]),
        ...(accept || over.length === 0 ? [] : [howToAccept(plan, isEmpty)]),
      ].join('. '),
    })
  }
  const checks = auditChecks(promises) + Object.keys(pipeline.audits).length
  return { checks, content, days: daysFound(day, row), budget: budgetText(pipeline.expect, sizes), accepted: few(over) }
}

/** Of rows that were sent, the hash is known: what the service made of them must have the same. */
function otherRows({ contentHash }: Stage, content: string): readonly Broken[] {
  if (contentHash === null || contentHash === content) return []
  return [{ text: 'the stage holds other rows than were sent: their hash is another', rows: null }]
}

/** Rows that a merge deletes for want of their key are staged too, and no result. */
function isEmptied({ last, pipeline }: Plan, { rows, deleted }: Stage, sizes: Sizes): boolean {
  const { write } = pipeline
  const gone = write.mode === 'merge' && write.deletes === 'missing' ? (deleted ?? sizes.deletes?.gone ?? 0) : 0
  return rows === gone && last !== null && last.rows !== 0 && pipeline.empty === 'refused'
}

function emptied({ last }: Plan): string {
  return `the result is empty, and version ${last?.version} had ${last?.rows ?? 'some'} rows`
}

function howToAccept({ pipeline: { name } }: Plan, isEmpty: boolean): string {
  const change = isEmpty ? "say empty: 'allowed'" : 'change expect'
  return `If the result is right: \`npm run etl -- run ${name} --accept\` lets one run pass, or ${change} in src/pipelines/${name}.ts`
}

/** Hundreds of slices are out of their budget for one reason. */
function few(texts: readonly string[]): readonly string[] {
  return texts.length <= 5 ? texts : [...texts.slice(0, 4), `${texts.length - 4} more`]
}

/** When the stage goes; told in full hours, rather too early than too late. */
function expiry(now: Date): string {
  return `${new Date(now.getTime() + stageLifetime - 3_600_000).toISOString().slice(0, 13).replace('T', ' ')}:00 UTC`
}
