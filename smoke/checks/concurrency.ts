import { isConflict } from '../../src/adapters/bigquery/errors.ts'
import { literal } from '../../src/domain/literal.ts'
import { type Check, fails, holds, seen, skipped } from '../check.ts'
import type { Names } from '../names.ts'
import { heldText, startedBefore, whileHeld } from '../overlap.ts'
import { makeTarget, publish, publishing, stateOf, stateQuery, target, targetScript } from '../target.ts'
import { failureIn, said } from '../world.ts'

const concurrent =
  'Multi-statement transactions, "Transaction concurrency": "If a transaction mutates (update or deletes) rows in a table, then other transactions or DML statements that mutate rows in the same table cannot run concurrently. Conflicting transactions are cancelled."'

const publishText = (names: Names, name: string, mode: 'replace' | 'partition' = 'replace') =>
  publishing(target(names, name, mode), { number: 1 }, '…').sql
const plainUpdate = (names: Names, name: string) =>
  `UPDATE ${literal.table(target(names, name, 'replace').tables.head)} SET held = FALSE WHERE TRUE`

/** 1: the fence's lock. */
const oneHead: Check = {
  number: 1,
  title: 'two publications at once on one head: one is aborted',
  does: 'holds one publish script before its COMMIT and runs a second one of the same target in between',
  verifies: `${concurrent} The reason and the text of the error: [unv].`,
  otherwise:
    'both published: the head is no lock, nothing may be published before there is another; the second one waited: the retries of a conflict are idle, nothing else',
  cost: { publications: 2, tables: 6 },
  statements: names => [
    targetScript(names, target(names, 'c1', 'replace')),
    heldText(publishText(names, 'c1')),
    publishText(names, 'c1'),
  ],
  async run(world) {
    const made = await makeTarget(world, 'c1', 'replace')
    const [first, second] = [world.id('c1-first'), world.id('c1-second')]
    const [a, b] = [publishing(made, { number: 1 }, first), publishing(made, { number: 2 }, second)]
    const failure = await whileHeld(world, [{ name: 'c1-first', ...a }], () =>
      failureIn(world.script('c1-second', b.sql, b.parameters)),
    )
    const { rows } = await world.ended(first)
    const state = await stateOf(world, made, 'c1-after')
    if (failure === undefined) {
      const ahead = await startedBefore(world, second, first)
      const when = `the second one started ${Math.abs(ahead).toFixed(1)} s ${ahead > 0 ? 'before' : 'after'} the end of the first`
      return ahead > 0 ? fails(`both ended well; ${when}; ${state}`) : skipped(`no overlap: ${when}; run it again`)
    }
    world.conflicts.push(failure)
    return seen(rows[0]?.outcome === 'published' && isConflict(failure), `the other one: ${said(failure)}; ${state}`)
  },
}

/** 2: many pipelines of one dataset. */
const twoHeads: Check = {
  number: 2,
  title: 'two publications at once on two heads of one dataset, both with an INSERT into the shared ledger: no conflict',
  does: 'holds two publish scripts before their COMMITs at the same time, then lets both commit',
  verifies:
    'Multi-statement transactions, "Transaction concurrency": "Operations that read or append new rows can run concurrently."',
  otherwise: 'one ledger table for each target instead of one for each dataset',
  cost: { publications: 2, tables: 12 },
  statements: names => [
    ...['c2a', 'c2b'].flatMap(name => [targetScript(names, target(names, name, 'replace')), heldText(publishText(names, name))]),
  ],
  async run(world) {
    const both = [await makeTarget(world, 'c2a', 'replace'), await makeTarget(world, 'c2b', 'replace')] as const
    const held = both.map((made, index) => ({
      name: `c2-${index}`,
      ...publishing(made, { number: index + 1, baseSeq: 0 }, world.id(`c2-${index}`)),
    }))
    const bothOpen = await whileHeld(world, held, isOpen => isOpen())
    const outcomes = [await world.ended(world.id('c2-0')), await world.ended(world.id('c2-1'))].map(
      ({ rows }) => rows[0]?.outcome,
    )
    const states = [await stateOf(world, both[0], 'c2-a-after'), await stateOf(world, both[1], 'c2-b-after')]
    const evidence = `${outcomes.join(' and ')}, both open at one moment: ${bothOpen}; ${states.join('; ')}`
    return seen(bothOpen && outcomes.every(outcome => outcome === 'published'), evidence)
  },
}

/** 3: losing. */
const lost: Check = {
  number: 3,
  title: 'a lost compare-and-set: the own write is not read back, and nothing changes',
  does: 'publishes, then publishes an older version, then a newer one on a stale base_seq (partition mode)',
  verifies:
    'Multi-statement transactions: "If a statement in a transaction modifies a table, the changes are visible to subsequent statements within the same transaction."',
  otherwise: 'the script would have to decide by @@row_count (check 4)',
  cost: { publications: 3, tables: 24 },
  statements: names => [
    targetScript(names, target(names, 'c3', 'partition')),
    publishText(names, 'c3', 'partition'),
    stateQuery(target(names, 'c3', 'partition')),
  ],
  async run(world) {
    const made = await makeTarget(world, 'c3', 'partition')
    const first = await publish(world, made, { number: 2, baseSeq: 0 })
    const before = await stateOf(world, made, 'c3-before')
    const older = await publish(world, made, { number: 1, baseSeq: 1 })
    const stale = await publish(world, made, { number: 3, baseSeq: 0 })
    const after = await stateOf(world, made, 'c3-after')
    const evidence = `first ${first}, older version ${older}, stale base ${stale}; before: ${before}; after: ${after === before ? 'the same' : after}`
    return seen(first === 'published' && older === 'lost' && stale === 'lost' && before === after, evidence)
  },
}

/** 16: the one function that knows a conflict. */
const conflictText: Check = {
  number: 16,
  title: 'our isConflict knows the text of every conflict met here',
  does: 'runs a plain UPDATE of a head, as a release does, while a publish script holds it; and takes the text of check 1',
  verifies:
    'Multi-statement transactions, "Transaction concurrency": "Conflicting DML statements that run outside of a transaction are queued to run later"; the texts: [unv].',
  otherwise: 'the pattern in src/adapters/bigquery/errors.ts takes the new text, and its pinned test too',
  cost: { publications: 1, tables: 8 },
  statements: names => [
    targetScript(names, target(names, 'c16', 'replace')),
    heldText(publishText(names, 'c16')),
    plainUpdate(names, 'c16'),
  ],
  async run(world) {
    const made = await makeTarget(world, 'c16', 'replace')
    const id = world.id('c16-held')
    const { sql, parameters } = publishing(made, { number: 1 }, id)
    const failure = await whileHeld(world, [{ name: 'c16-held', sql, parameters }], () =>
      failureIn(world.script('c16-plain', plainUpdate(world.names, 'c16'))),
    )
    const { rows } = await world.ended(id)
    const plain = failure === undefined ? 'a plain UPDATE waited its turn' : `a plain UPDATE: ${said(failure)}`
    const texts = world.conflicts.map(said)
    const isKnown = (failure === undefined || isConflict(failure)) && world.conflicts.every(isConflict)
    if (rows[0]?.outcome !== 'published' || !isKnown)
      return fails(`${plain}; the publication: ${rows[0]?.outcome}; met before: ${texts.join(' | ')}`)
    return texts.length === 0
      ? skipped(`${plain}; no conflict was met before: run it with check 1`)
      : holds(`${plain}; known: ${texts.join(' | ')}`)
  },
}

export const concurrency: readonly Check[] = [oneHead, twoHeads, lost, conflictText]
