import { alterScripts } from '../../src/adapters/bigquery/alter.ts'
import { isConflict } from '../../src/adapters/bigquery/errors.ts'
import { findTable } from '../../src/adapters/bigquery/tables.ts'
import type { Column } from '../../src/domain/column.ts'
import type { Change } from '../../src/domain/evolution.ts'
import { type Check, seen } from '../check.ts'
import type { Names } from '../names.ts'
import { heldText, whileHeld } from '../overlap.ts'
import { makeTarget, publish, publishing, stateOf, target, targetScript } from '../target.ts'
import { failureIn, said, type World } from '../world.ts'

const change = (kind: 'add' | 'relax' | 'widen', column: string, type: Column['type']): Change => {
  const wanted: Column = { name: column, type, mode: kind === 'widen' ? 'REQUIRED' : 'NULLABLE', rules: [] }
  return { class: 'expand', kind, column, sentence: '', wanted }
}
const changes = [change('add', 'ny', 'STRING'), change('relax', 'navn', 'STRING'), change('widen', 'antall', 'NUMERIC')]
const wanted = ['navn STRING NULLABLE', 'antall NUMERIC REQUIRED', 'ny STRING NULLABLE']

/** History first, as a run does it. */
const alters = (names: Names) => {
  const { tables } = target(names, 'c9', 'replace')
  return [...alterScripts(tables.history, 'history', changes), ...alterScripts(tables.target, 'target', changes)]
}

/** 9 */
export const evolution: Check = {
  number: 9,
  title: 'ADD COLUMN, DROP NOT NULL and SET DATA TYPE while a publication’s transaction is open',
  does: 'holds a publish script before its COMMIT, alters history and target as a run does, then publishes again as the older code would',
  verifies: '[unv]. DDL is no part of a transaction; what becomes of one that is open is not documented',
  otherwise: 'evolution waits until no publication of the target is under way, and says so',
  cost: { publications: 2, tables: 20 },
  statements: names => {
    const made = target(names, 'c9', 'replace')
    return [targetScript(names, made), heldText(publishing(made, { number: 1 }, '…').sql), ...alters(names)]
  },
  async run(world) {
    const made = await makeTarget(world, 'c9', 'replace')
    const id = world.id('c9-held')
    const held = publishing(made, { number: 1 }, id)
    const [refused, told] = await whileHeld(world, [{ name: 'c9-held', ...held }], async isOpen => {
      const failures = await altered(world, 'c9-alter', alters(world.names))
      const how =
        failures.length > 0
          ? failures.map(({ text }) => text).join(' | ')
          : (await isOpen())
            ? 'went through at once'
            : 'waited for the commit'
      return [failures.map(({ sql }) => sql), how] as const
    })
    const aborted = await failureIn(world.ended(id))
    if (aborted !== undefined && !aborted.passing) world.conflicts.push(aborted)
    const again = await altered(world, 'c9-again', refused)
    const outcome = await publish(world, made, { number: 2 })
    const fields = (await findTable(world.api, made.tables.target))?.schema?.fields ?? []
    const has = fields.map(({ name, type, mode }) => `${name} ${type} ${mode ?? 'NULLABLE'}`)
    const evidence = [
      `ALTER: ${told}`,
      ...again.map(({ text }) => `tried again: ${text}`),
      `the open publication ${aborted === undefined ? 'committed' : `was aborted: ${said(aborted)}`}`,
      `the next one ${outcome}`,
      await stateOf(world, made, 'c9-after'),
    ].join('; ')
    const isKnown = aborted === undefined || isConflict(aborted) || aborted.passing
    return seen(outcome === 'published' && wanted.every(text => has.includes(text)) && isKnown, evidence)
  },
}

/** The statements that failed, each with its text. What a local server has not got is thrown. */
async function altered(
  world: World,
  name: string,
  scripts: readonly string[],
): Promise<readonly { sql: string; text: string }[]> {
  const failures: { sql: string; text: string }[] = []
  for (const [index, sql] of scripts.entries()) {
    const failure = await failureIn(world.script(`${name}-${index}`, sql))
    if (failure?.reason === 'notImplemented') throw failure
    if (failure !== undefined) failures.push({ sql, text: said(failure) })
  }
  return failures
}
