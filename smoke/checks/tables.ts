import { createHead } from '../../src/adapters/bigquery/bootstrap.ts'
import { isConflict } from '../../src/adapters/bigquery/errors.ts'
import { isDuplicate, labels } from '../../src/adapters/bigquery/jobs.ts'
import { queryConfiguration } from '../../src/adapters/bigquery/query.ts'
import { findTable } from '../../src/adapters/bigquery/tables.ts'
import { literal } from '../../src/domain/literal.ts'
import { type Check, fails, seen } from '../check.ts'
import { expiring, type Names } from '../names.ts'
import { heldText, whileHeld } from '../overlap.ts'
import { makeTarget, publish, publishing, stateOf, target, targetScript } from '../target.ts'
import { failureFrom, failureIn, said } from '../world.ts'

const clients = 10
const headScript = (names: Names, name: string) => expiring(names, createHead(target(names, name, 'replace').tables))
const countHead = (names: Names, name: string) =>
  `SELECT COUNT(*) AS n FROM ${literal.table(target(names, name, 'replace').tables.head)}`

/** 7 */
const tenClients: Check = {
  number: 7,
  title: 'CREATE TABLE IF NOT EXISTS … AS SELECT from ten clients at once: one row',
  does: 'ten clients of their own submit the head’s statement at once; then the rows are counted',
  verifies:
    'DDL, CREATE TABLE: IF NOT EXISTS "If any table exists with the same name, the CREATE statement has no effect."; ten at once: [unv]',
  otherwise: 'the head is made by tables.insert (409 for all but one) and its row by a MERGE that conflicts',
  cost: { tables: 21 },
  statements: names => [`-- ${clients} times at once`, headScript(names, 'c7'), countHead(names, 'c7')],
  async run(world) {
    const sql = headScript(world.names, 'c7')
    const { location } = world.api
    const work = Array.from({ length: clients }, async (_, index) => {
      const jobId = world.id(`c7-${index}`)
      await world.client().createJob({ jobId, location, configuration: { labels, ...queryConfiguration(sql) } })
      await world.ended(jobId)
    })
    const failures = (await Promise.allSettled(work)).flatMap(end => (end.status === 'rejected' ? [failureFrom(end.reason)] : []))
    const { rows } = await world.script('c7-count', countHead(world.names, 'c7'))
    const odd = failures.filter(failure => !isDuplicate(failure) && !failure.passing)
    const texts = [...new Set(failures.map(said))].slice(0, 2)
    const evidence = `${clients - failures.length} ended well, ${failures.length} not${texts.length === 0 ? '' : ` (${texts.join(' | ')})`}; ${rows[0]?.n} row`
    return seen(String(rows[0]?.n) === '1' && odd.length === 0, evidence)
  },
}

const addColumn = (names: Names) => {
  const { tables } = target(names, 'c9', 'replace')
  return [tables.history, tables.target]
    .map(table => `ALTER TABLE ${literal.table(table)} ADD COLUMN IF NOT EXISTS ny STRING;`)
    .join('\n')
}

/** 9 */
const addColumnMeanwhile: Check = {
  number: 9,
  title: 'ADD COLUMN while a publication’s transaction is open',
  does: 'holds a publish script before its COMMIT, adds a column to history and target, then publishes again as the older code would',
  verifies: '[unv]. DDL is no part of a transaction; what becomes of one that is open is not documented',
  otherwise: 'evolution waits until no publication of the target is under way, and says so',
  cost: { publications: 2, tables: 14 },
  statements: names => {
    const made = target(names, 'c9', 'replace')
    return [targetScript(names, made), heldText(publishing(made, { number: 1 }, '…').sql), addColumn(names)]
  },
  async run(world) {
    const made = await makeTarget(world, 'c9', 'replace')
    const id = world.id('c9-held')
    const { sql, parameters } = publishing(made, { number: 1 }, id)
    let waited = false
    const altered = await whileHeld(world, [{ name: 'c9-held', sql, parameters }], async isOpen => {
      const failure = await failureIn(world.script('c9-alter', addColumn(world.names)))
      waited = !(await isOpen())
      return failure
    })
    const aborted = await failureIn(world.ended(id))
    if (altered !== undefined && altered.reason === 'notImplemented') throw altered
    if (aborted !== undefined && !aborted.passing) world.conflicts.push(aborted)
    const later = altered === undefined ? undefined : await failureIn(world.script('c9-alter-again', addColumn(world.names)))
    const again = await publish(world, made, { number: 2 })
    const column = (await findTable(world.api, made.tables.target))?.schema?.fields?.some(field => field.name === 'ny') === true
    const alter =
      altered === undefined ? (waited ? 'ALTER waited for the commit' : 'ALTER went through at once') : `ALTER: ${said(altered)}`
    const evidence = `${alter}; the open publication ${aborted === undefined ? 'committed' : `was aborted: ${said(aborted)}`}; the next one ${again}; ${await stateOf(world, made, 'c9-after')}`
    if (later !== undefined) return fails(`${evidence}; a second ALTER: ${said(later)}`)
    return seen(column && again === 'published' && (aborted === undefined || isConflict(aborted) || aborted.passing), evidence)
  },
}

/** 21 */
const notNull: Check = {
  number: 21,
  title: 'CREATE TABLE … AS SELECT with NOT NULL columns keeps them REQUIRED',
  does: 'makes a head as the bootstrap does and reads its schema',
  verifies: 'DDL, CREATE TABLE, column_schema with AS query_statement: NOT NULL there is [unv]',
  otherwise: 'the head’s columns are NULLABLE: the fence must then say IS TRUE, and `doctor` looks for NULLs',
  cost: { tables: 2 },
  statements: names => [headScript(names, 'c21'), 'GET tables/…'],
  async run(world) {
    await world.script('c21', headScript(world.names, 'c21'))
    const fields = (await findTable(world.api, target(world.names, 'c21', 'replace').tables.head))?.schema?.fields ?? []
    const modes = fields.map(({ name, mode }) => `${name} ${mode ?? 'NULLABLE'}`)
    const wanted = ['seq', 'version', 'run', 'attempt', 'held'].every(name => modes.includes(`${name} REQUIRED`))
    return seen(wanted, modes.join(', '))
  },
}

export const tables: readonly Check[] = [tenClients, addColumnMeanwhile, notNull]
