import { literal } from '../../src/domain/literal.ts'
import { type Check, seen } from '../check.ts'
import { expiring, type Names, ours } from '../names.ts'

const make = (names: Names) =>
  expiring(names, `CREATE TABLE ${literal.table(ours(names, 'c24'))} (dato DATE NOT NULL, n INT64) PARTITION BY dato`)
const fill = (names: Names) =>
  `INSERT INTO ${literal.table(ours(names, 'c24'))} VALUES (DATE '2026-01-01', 1), (DATE '2026-01-02', 2), (DATE '2026-01-03', 3)`
const change = (names: Names) => `UPDATE ${literal.table(ours(names, 'c24'))} SET n = 9 WHERE dato = '2026-01-02'`
const empty = (names: Names) => `DELETE FROM ${literal.table(ours(names, 'c24'))} WHERE dato = '2026-01-03'`
const ask = (names: Names) => {
  const ref = ours(names, 'c24')
  return `SELECT partition_id AS id, last_modified_time AS modified FROM ${literal.partitions(ref)} WHERE table_name = ${literal.string(ref.table)} ORDER BY id`
}

/** 24: late rows. */
const modifiedPartitions: Check = {
  number: 24,
  title: 'INFORMATION_SCHEMA.PARTITIONS tells which partition was written to, and only that',
  does: 'asks for the times of three partitions before and after an UPDATE of one and a DELETE of all rows of another',
  verifies:
    'PARTITIONS view: last_modified_time is "the most recent time that data was written to the partition"; at once, for DML, and what becomes of an emptied partition: [unv]',
  otherwise: 'late rows are not found by it: recompute is a guess for every source, and plan must say so',
  cost: { tables: 8 },
  statements: names => [make(names), fill(names), ask(names), change(names), empty(names), ask(names)],
  async run(world) {
    const { names } = world
    await world.script('c24-make', make(names))
    await world.script('c24-fill', fill(names))
    const times = async (name: string) =>
      new Map((await world.script(name, ask(names))).rows.map(row => [String(row.id), String(row.modified)]))
    const before = await times('c24-before')
    await world.script('c24-change', change(names))
    await world.script('c24-empty', empty(names))
    const after = await times('c24-after')
    const moved = (id: string) => before.get(id) !== after.get(id)
    const holds = before.size === 3 && !moved('20260101') && moved('20260102')
    const emptied = after.has('20260103') ? `is listed, ${moved('20260103') ? 'modified' : 'as before'}` : 'is gone'
    return seen(
      holds,
      `${before.size} partitions; modified: ${[...after.keys()].filter(moved).join(', ') || 'none'}; the emptied one ${emptied}`,
    )
  },
}

export const partitions: readonly Check[] = [modifiedPartitions]
