import * as z from 'zod'
import { stageColumn } from '../../src/adapters/bigquery/staged.ts'
import type { AnyRow, Column } from '../../src/domain/column.ts'
import { literal } from '../../src/domain/literal.ts'
import type { Stage } from '../../src/domain/run.ts'
import { bq, row } from '../../src/index.ts'
import type { Spooled } from '../../src/ports/spool.ts'
import { type Check, seen } from '../check.ts'
import type { Names } from '../names.ts'
import { target } from '../target.ts'
import type { World } from '../world.ts'

const Small = row({ dato: z.iso.date(), navn: z.string(), antall: z.int() })
const small: readonly AnyRow[] = [
  { dato: '2024-01-01', navn: 'a', antall: 1 },
  { dato: '2024-01-02', navn: 'b', antall: 2 },
]
const stageTables = (names: Names, name: string) => target(names, name, 'merge').tables
const stageName = (names: Names, name: string, attempt: string) =>
  literal.table({ ...stageTables(names, name).runs, table: `stage__${stageTables(names, name).target.table}__${attempt}` })
const [attempt, op] = ['bbbb17', '_op']
const countOps = (names: Names) => `SELECT COUNT(*) AS n, COUNTIF(${op} IS NULL) AS ops FROM ${stageName(names, 'c17', attempt)}`

/** 17 */
const missingColumn: Check = {
  number: 17,
  title: 'a Parquet load into a stage with one more column (_op) than file and schema have: NULL there',
  does: 'stages two rows as a merge does: the table has _op, the load’s explicit schema and its file (every column optional) have not',
  verifies:
    'Loading Parquet data; a NULLABLE column of the table that the schema given lacks: [unv] (load_table_from_dataframe of Google’s Python client relies on it)',
  otherwise: 'the load names _op too; if that is refused as well, the spool writes a column of NULLs',
  cost: { tables: 2 },
  statements: names => [
    `POST tables: ${stageName(names, 'c17', attempt)} with ${op}`,
    `POST upload/…/jobs: load PARQUET, WRITE_APPEND, ${Small.columns
      .map(stageColumn)
      .map(({ name, type }) => `${name} ${type}`)
      .join(', ')}`,
    countOps(names),
  ],
  async run(world) {
    const { names } = world
    const tables = stageTables(names, 'c17')
    await spooled(world, Small.columns, small, parts =>
      world.warehouse.stage(tables, Small.columns, { kind: 'files', ...parts }, attempt, { op: true }),
    )
    const { rows } = await world.script('c17-count', countOps(names))
    return seen(String(rows[0]?.n) === '2' && String(rows[0]?.ops) === '2', `${rows[0]?.n} rows, _op NULL in ${rows[0]?.ops}`)
  },
}

const Every = row({
  datetime: bq.datetime(),
  time: bq.time(),
  clock: z.iso.time(),
  timestamp: bq.timestamp(),
  date: bq.date(),
  numeric: bq.numeric(),
  bignumeric: bq.bignumeric(),
  json: bq.json(),
  bytes: bq.bytes(),
  whole: bq.int64(),
  number: z.number(),
  flag: z.boolean(),
  texts: z.array(z.string()),
  record: z.object({ datetime: bq.datetime(), time: bq.time(), numbers: z.array(bq.numeric()) }),
})
const every: readonly AnyRow[] = [
  {
    datetime: '2024-02-29T23:59:59.999999',
    time: '23:59:59.999999',
    clock: '06:30:00',
    timestamp: '1969-12-31T23:59:59.999999Z',
    date: '0001-01-01',
    numeric: '-99999999999999999999999999999.999999999',
    bignumeric: '0.00000000000000000000000000000000000001',
    json: '{"a":[1,null]}',
    bytes: Uint8Array.of(0, 255),
    whole: -(2n ** 63n),
    number: -0.1,
    flag: true,
    texts: ['æ', ''],
    record: { datetime: '9999-12-31T00:00:00', time: '00:00:00.000001', numbers: ['1', '0.5'] },
  },
]

/** 20 */
const throughParquet: Check = {
  number: 20,
  title: 'DATETIME, TIME and every other type of a stage, through Parquet',
  does: 'stages one row of extreme values as a run does, and reads it back by the adapter',
  verifies:
    'Loading Parquet data, "Parquet conversions": TIME and TIMESTAMP in microseconds by the schema given; DATETIME from a timestamp that is not adjusted to UTC: [unv]',
  otherwise: 'such a column is staged as STRING and cast in the publish, as BIGNUMERIC and JSON are',
  cost: { tables: 2 },
  statements: names => [
    `POST tables, POST upload/…/jobs: load PARQUET, ${Every.columns
      .map(stageColumn)
      .map(({ name, type }) => `${name} ${type}`)
      .join(', ')}`,
    `SELECT … FROM ${stageName(names, 'c20', 'bbbb20')}`,
  ],
  async run(world) {
    const { tables } = target(world.names, 'c20', 'replace')
    const stage = await spooled(world, Every.columns, every, parts =>
      world.warehouse.stage(tables, Every.columns, { kind: 'files', ...parts }, 'bbbb20'),
    )
    const back = await stagedRows(world, stage, Every.columns)
    const changed = Every.columns.filter(({ name }) => plain(back[0]?.[name]) !== plain(every[0]?.[name]))
    return seen(
      back.length === 1 && changed.length === 0,
      changed.length === 0
        ? `${Every.columns.length} columns came back word for word`
        : `changed: ${changed.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
    )
  },
}

async function stagedRows(world: World, stage: Stage, columns: readonly Column[]): Promise<readonly AnyRow[]> {
  const sql = `SELECT ${columns.map(({ name }) => literal.name(name)).join(', ')} FROM ${literal.table(stage.table)}`
  return (await world.script('c20-read', sql)).rows
}

/** A value as text in which two are equal if the values are. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === 'bigint') return String(each)
    return each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each
  })
}

async function spooled<T>(
  world: World,
  columns: readonly Column[],
  rows: readonly AnyRow[],
  work: (files: Spooled) => Promise<T>,
): Promise<T> {
  const writer = await world.spool.open(columns)
  try {
    await writer.write(rows)
    return await work(await writer.finish())
  } finally {
    await writer.discard()
  }
}

export const values: readonly Check[] = [missingColumn, throughParquet]
