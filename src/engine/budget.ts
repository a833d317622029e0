import { type Compared, isRelative, type Sizes } from '../domain/expect.ts'
import { literal } from '../domain/literal.ts'
import type { Plan } from '../domain/plan.ts'
import type { Scope, Stage } from '../domain/run.ts'
import type { Merge } from '../domain/write.ts'
import type { Warehouse } from '../ports/warehouse.ts'

type Asked = Pick<Warehouse, 'ask' | 'auditTables'>

/** How far back the slice before a new one may lie, in days. */
const gap = 31

/**
 * How large the result is: replace and append by the last version; of slices, each by what the table holds of it now, and one that is new by the slice
 * before it; merge by the table, as it is and as it will be. Nothing is asked where nothing is expected.
 */
export async function sizesOf(plan: Plan, stage: Stage, warehouse: Asked): Promise<Sizes> {
  const { last, pipeline, scope } = plan
  const { write } = pipeline
  if (write.mode === 'merge') return merged(plan, write, stage, warehouse)
  if (pipeline.expect.rows.length === 0) return { compared: [], deletes: null }
  if (write.mode === 'partition' && scope !== null)
    return { compared: await slices(plan, write.column, scope, stage, warehouse), deletes: null }
  const before = last?.rows === null || last === null ? null : { rows: last.rows, where: `of version ${last.version}` }
  return { compared: [{ of: '', rows: stage.rows, before }], deletes: null }
}

/** One question says what the table has, what goes and what comes. */
async function merged({ last, pipeline, tables }: Plan, write: Merge, stage: Stage, warehouse: Asked): Promise<Sizes> {
  const isExpected = pipeline.expect.rows.length > 0
  // Not by the ledger: a table that was taken over has rows before it has a version.
  if (write.deletes === 'none' && (last === null || !isExpected))
    return { compared: isExpected ? [{ of: '', rows: stage.rows, before: null }] : [], deletes: null }
  // What was staged just now is known; of a stage that was taken up, it is asked.
  const { deleted, had: held } = stage
  const had = `(SELECT COUNT(*) FROM ${literal.table(tables.target)}) AS had`
  const known = deleted === undefined || held === undefined ? undefined : { had: held, gone: deleted, stay: stage.rows - deleted }
  const sql =
    write.deletes === 'missing'
      ? `SELECT ${had}, COUNTIF(_op = 'delete') AS gone, COUNT(*) - COUNTIF(_op = 'delete') AS stay FROM ${literal.table(stage.table)}`
      : `${warehouse.auditTables(pipeline, tables, stage.table, ['result', 'current'])}${joined(pipeline.to.row.key, write.deletes, had)}`
  const found: Readonly<Record<string, unknown>> = known ?? (await warehouse.ask(sql)).rows[0] ?? {}
  const [of, gone, come, stay] = ['had', 'gone', 'come', 'stay'].map(name => Number(found[name] ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  const rows = write.deletes === 'missing' ? stay : of - gone + come
  return {
    compared: isExpected ? [{ of: '', rows, before: last === null ? null : { rows: of, where: 'it has now' } }] : [],
    deletes: { gone, of },
  }
}

function joined(key: readonly string[], deletes: Merge['deletes'], had: string): string {
  const isThere = `t.${literal.name(key[0] ?? '')} IS NOT NULL`
  const goes = typeof deletes === 'object' ? `IFNULL(s.${literal.name(deletes.when)}, FALSE)` : 'FALSE'
  const on = key.map(name => `s.${literal.name(name)} = t.${literal.name(name)}`).join(' AND ')
  return `SELECT ${had}, COUNTIF(${goes} AND ${isThere}) AS gone, COUNTIF(NOT ${goes} AND NOT ${isThere}) AS come
FROM \`result\` AS s LEFT JOIN \`current\` AS t ON ${on}`
}

async function slices(
  { last, tables, pipeline }: Plan,
  column: string,
  scope: NonNullable<Scope>,
  stage: Stage,
  warehouse: Asked,
): Promise<readonly Compared[]> {
  const name = literal.name(column)
  const counts = async (from: string) => {
    const { rows } = await warehouse.ask(`SELECT ${name} AS slice, COUNT(*) AS n FROM ${from} GROUP BY ${name}`)
    return new Map(rows.map(row => [String(row.slice), Number(row.n)]))
  }
  const [only] = scope
  const [came, now] = await Promise.all([
    scope.length === 1 && only !== undefined ? new Map([[only, stage.rows]]) : counts(literal.table(stage.table)),
    last === null || !isRelative(pipeline.expect)
      ? new Map<string, number>()
      : counts(
          `${literal.from(tables.target, [column])} WHERE ${name} BETWEEN ${dayBefore(scope[0], gap)} AND ${literal.date(scope.at(-1) ?? '')}`,
        ),
  ])
  const dates = [...new Set([...now.keys(), ...scope])].sort()
  const rowsOf = (date: string) => (scope.includes(date) ? came.get(date) : now.get(date)) ?? 0
  return scope.map(date => {
    const of = `${column} ${date}`
    const same = now.get(date)
    if (same !== undefined) return { of, rows: rowsOf(date), before: { rows: same, where: 'it has now' } }
    const earlier = now.size === 0 ? undefined : dates.filter(other => other < date && rowsOf(other) > 0).at(-1)
    return { of, rows: rowsOf(date), before: earlier === undefined ? null : { rows: rowsOf(earlier), where: `of ${earlier}` } }
  })
}

/** The date so many days earlier, as a literal; never before the first that BigQuery has. */
function dayBefore(date = '', days: number): string {
  const day = new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10)
  return literal.date(day > '0001-01-01' && /^\d{4}-/.test(day) ? day : '0001-01-01')
}
