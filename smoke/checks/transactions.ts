import { literal } from '../../src/domain/literal.ts'
import { type Check, seen, skipped } from '../check.ts'
import { expiring, type Names, ours } from '../names.ts'
import { children } from '../overlap.ts'
import { makeTarget, publicationOf, publish, publishing, stageRows, stateOf, target, targetScript, versionOf } from '../target.ts'
import type { World } from '../world.ts'

const numbers = (names: Names, name: string) => `CREATE TABLE ${literal.table(ours(names, name))} (n INT64)`
const filled = (names: Names, name: string) =>
  `${expiring(names, numbers(names, name))}\nINSERT INTO ${literal.table(ours(names, name))} (n) VALUES (1), (2);`

const rowCountScript = (names: Names) => `DECLARE hit INT64;
DECLARE missed INT64;
${filled(names, 'c4')}
BEGIN TRANSACTION;
UPDATE ${literal.table(ours(names, 'c4'))} SET n = n + 10 WHERE n = 1;
SET hit = @@row_count;
UPDATE ${literal.table(ours(names, 'c4'))} SET n = n + 10 WHERE n = 7;
SET missed = @@row_count;
COMMIT TRANSACTION;
SELECT hit, missed;`

/** 4 */
const rowCount: Check = {
  number: 4,
  title: '@@row_count after an UPDATE in a transaction',
  does: 'one UPDATE that changes one row, one that changes none',
  verifies: '[unv] in a transaction; the publish script does not depend on it',
  otherwise: 'nothing: the own write is read back instead. ✔ means that it could be used for a shorter script',
  cost: { tables: 4 },
  statements: names => [rowCountScript(names)],
  async run(world) {
    const { rows } = await world.script('c4', rowCountScript(world.names))
    const [hit, missed] = [String(rows[0]?.hit), String(rows[0]?.missed)]
    return seen(hit === '1' && missed === '0', `1 row changed: ${hit}; none changed: ${missed}`)
  },
}

const truncateScript = (names: Names) => `DECLARE inside INT64;
${filled(names, 'c5')}
BEGIN TRANSACTION;
TRUNCATE TABLE ${literal.table(ours(names, 'c5'))};
SET inside = (SELECT COUNT(*) FROM ${literal.table(ours(names, 'c5'))});
ROLLBACK TRANSACTION;
SELECT inside, (SELECT COUNT(*) FROM ${literal.table(ours(names, 'c5'))}) AS afterwards;`

/** 5 */
const truncate: Check = {
  number: 5,
  title: 'TRUNCATE in a transaction bills 0 bytes and is rolled back',
  does: 'TRUNCATE, a count, ROLLBACK, a count; the bytes are those of the statement’s own job',
  verifies: 'DML syntax, TRUNCATE TABLE: it "is a metadata operation and does not incur a charge"; in a transaction: [unv]',
  otherwise:
    'replace costs a read of the whole table (plan must say so), or DELETE … WHERE TRUE; if it is not rolled back: replace by partitions only',
  cost: { tables: 4 },
  statements: names => [truncateScript(names)],
  async run(world) {
    const { id, rows } = await world.script('c5', truncateScript(world.names))
    const [inside, afterwards] = [String(rows[0]?.inside), String(rows[0]?.afterwards)]
    const evidence = `rows inside the transaction ${inside}, after the rollback ${afterwards}`
    return withBytes(world, id, /^TRUNCATE_TABLE$/, inside === '0' && afterwards === '2', evidence)
  },
}

/** 6 */
const partitionDelete: Check = {
  number: 6,
  title: 'the DELETE of whole partitions in a publication bills 0 bytes',
  does: 'publishes twice in partition mode; the bytes are those of the DELETE’s own job in the second script',
  verifies:
    'Using DML with partitioned tables, "Using DML DELETE to delete partitions": no bytes are processed, and it "works within a multi-statement transaction"',
  otherwise: 'plan says what a publication in partition mode bills; the protocol stays',
  cost: { publications: 2, tables: 6 },
  statements: names => {
    const made = target(names, 'c6', 'partition')
    return [targetScript(names, made), publishing(made, { number: 2 }, '…').sql]
  },
  async run(world) {
    const made = await makeTarget(world, 'c6', 'partition')
    await publish(world, made, { number: 1 })
    const { outcome, job } = await world.warehouse.publish([publicationOf(made, { number: 2 })], 1, async () => {})
    const state = await stateOf(world, made, 'c6-after')
    const isRight = outcome === 'published' && state.startsWith(`${stageRows} rows of ${versionOf(made, 2)}`)
    return withBytes(world, job, /^DELETE$/, isRight, `${outcome}; ${state}`)
  },
}

/** What the statement's own job billed; a server without child jobs can't tell. */
async function withBytes(world: World, id: string, type: RegExp, isRight: boolean, evidence: string) {
  const all = await children(world.api, id)
  if (all === undefined && isRight) return skipped(`${evidence}; bytes: no right to list child jobs (bigquery.jobs.list)`)
  const own = (all ?? []).filter(child => type.test(child.type))
  if (own.length === 0 && isRight && world.api.local)
    return skipped(`${evidence}; bytes: not on the local server, which bills nothing`)
  const bytes = own.map(child => `${child.type} billed ${child.billed}, processed ${child.processed}`).join('; ')
  return seen(
    isRight && own.length > 0 && own.every(child => child.billed === '0'),
    `${evidence}; ${bytes || 'no such child job'}`,
  )
}

const filteredScript = (names: Names) => {
  const name = literal.table(ours(names, 'c10'))
  return `${expiring(names, `CREATE TABLE ${name} (dato DATE, n INT64) PARTITION BY dato OPTIONS (require_partition_filter = TRUE)`)}
INSERT INTO ${name} (dato, n) VALUES (DATE '2024-01-01', 1), (DATE '2024-01-02', 2);
BEGIN TRANSACTION;
TRUNCATE TABLE ${name};
COMMIT TRANSACTION;
SELECT COUNT(*) AS n FROM ${name} WHERE dato >= DATE '1970-01-01';`
}

/** 10 */
const filteredTruncate: Check = {
  number: 10,
  title: 'TRUNCATE of a table with require_partition_filter',
  does: 'makes such a table with two rows, truncates it in a transaction, counts',
  verifies: '[unv]: TRUNCATE has no filter to give',
  otherwise: 'plan refuses replace on such a table (one that was adopted: ours have the filter on the history only)',
  cost: { tables: 4 },
  statements: names => [filteredScript(names)],
  async run(world) {
    const { rows } = await world.script('c10', filteredScript(world.names))
    return seen(String(rows[0]?.n) === '0', `it ran; ${rows[0]?.n} rows afterwards`)
  },
}

export const transactions: readonly Check[] = [rowCount, truncate, partitionDelete, filteredTruncate]
