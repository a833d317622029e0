import { publishScript } from '../../src/adapters/bigquery/publish.ts'
import { literal } from '../../src/domain/literal.ts'
import type { Publication } from '../../src/domain/run.ts'
import { type Check, seen } from '../check.ts'
import { expiring, type Names, oursInEtl } from '../names.ts'
import { makeTarget, publicationOf, publish, type SmokeTarget, stageRows, stateOf, target, targetScript } from '../target.ts'

const both = (names: Names): readonly [SmokeTarget, SmokeTarget] => [
  target(names, 'c22a', 'merge'),
  target(names, 'c22b', 'append'),
]
const publications = (targets: readonly SmokeTarget[], number: number): readonly Publication[] =>
  targets.map(made => publicationOf(made, { number }))
const nextStage = ({
  stage,
}: SmokeTarget) => `UPDATE ${literal.table(stage.table)} SET antall = antall + 10 WHERE dato = DATE '2024-01-01';
DELETE FROM ${literal.table(stage.table)} WHERE dato = DATE '2024-01-02';`

/** 22 */
const mergeAndAppend: Check = {
  number: 22,
  title: 'MERGE with a delete and an append of another target, in one publication',
  does: 'publishes a merge target and an append target together; then changes one staged row and takes one out, stages what is gone, publishes both again',
  verifies:
    'Multi-statement transactions: MERGE, and tables of several datasets, in one transaction; the two heads are UPDATEd in the order of their names',
  otherwise: 'a MERGE that is refused becomes DELETE and INSERT by key; one publication for each target',
  cost: { publications: 4, tables: 22 },
  statements: names => [
    ...both(names).map(made => targetScript(names, made)),
    publishScript(publications(both(names), 1)),
    nextStage(both(names)[0]),
    '-- the rows that are gone, then the same script with the next version',
  ],
  async run(world) {
    const targets = [await makeTarget(world, 'c22a', 'merge'), await makeTarget(world, 'c22b', 'append')] as const
    const first = await world.warehouse.publish(publications(targets, 1), 1, async () => {})
    const [merged, appended] = targets
    await world.script('c22-next', nextStage(merged))
    const { columns, key } = merged.pipeline.to.row
    const gone = await world.warehouse.stageMissing(merged.tables, columns, key, merged.stage)
    const second = await world.warehouse.publish(publications(targets, 2), 1, async () => {})
    const states = [await stateOf(world, merged, 'c22a-after'), await stateOf(world, appended, 'c22b-after')]
    const isRight =
      first.outcome === 'published' &&
      second.outcome === 'published' &&
      gone.deleted === 1 &&
      states[0]?.startsWith('1 rows ') === true &&
      states[0].includes(', 4 in the history, seq 2 ') &&
      states[1]?.startsWith(`${2 * stageRows} rows `) === true
    return seen(
      isRight,
      `${first.outcome}, then ${second.outcome} with ${gone} row gone; merge: ${states[0]}; append: ${states[1]}`,
    )
  },
}

const snapshot = (names: Names) => oursInEtl(names, 'c23_snapshot')
const createSnapshot = (names: Names) =>
  expiring(
    names,
    `CREATE SNAPSHOT TABLE IF NOT EXISTS ${literal.table(snapshot(names))} CLONE ${literal.table(target(names, 'c23', 'replace').tables.target)}`,
  )
const countSnapshot = (names: Names) => `SELECT COUNT(*) AS n FROM ${literal.table(snapshot(names))}`

/** 23 */
const history: Check = {
  number: 23,
  title: 'a snapshot of the target right after a publication has its rows',
  does: 'publishes, makes a snapshot table in <dataset>_etl as history: snapshot does, publishes again, counts the rows of the snapshot',
  verifies:
    'Table snapshots: a snapshot is of the table’s moment and needs bigquery.tables.createSnapshot; that a dataset WRITER has it is [unv]',
  otherwise: 'history: snapshot needs a right that nais does not give: plan says so, and keeps rows',
  cost: { publications: 2, tables: 8 },
  statements: names => [targetScript(names, target(names, 'c23', 'replace')), createSnapshot(names), countSnapshot(names)],
  async run(world) {
    const made = await makeTarget(world, 'c23', 'replace')
    await publish(world, made, { number: 1 })
    await world.script('c23-snapshot', createSnapshot(world.names))
    await world.script('c23-empty', `DELETE FROM ${literal.table(made.stage.table)} WHERE TRUE`)
    const outcome = await publish(world, made, { number: 2 })
    const { rows } = await world.script('c23-count', countSnapshot(world.names))
    const state = await stateOf(world, made, 'c23-after')
    return seen(
      String(rows[0]?.n) === String(stageRows) && outcome === 'published' && state.startsWith('0 rows '),
      `${rows[0]?.n} rows in the snapshot; the table afterwards: ${state}`,
    )
  },
}

export const modes: readonly Check[] = [mergeAndAppend, history]
