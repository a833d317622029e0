import { createHead } from '../../src/adapters/bigquery/bootstrap.ts'
import { isDuplicate, labels } from '../../src/adapters/bigquery/jobs.ts'
import { queryConfiguration } from '../../src/adapters/bigquery/query.ts'
import { findTable } from '../../src/adapters/bigquery/tables.ts'
import { literal } from '../../src/domain/literal.ts'
import { type Check, seen } from '../check.ts'
import { expiring, type Names } from '../names.ts'
import { target } from '../target.ts'
import { failureFrom, said } from '../world.ts'

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

export const tables: readonly Check[] = [tenClients, notNull]
