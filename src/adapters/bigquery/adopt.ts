import { EtlError } from '../../domain/error.ts'
import { literal } from '../../domain/literal.ts'
import type { NamedPipeline } from '../../domain/pipeline.ts'
import type { TargetTables } from '../../domain/run.ts'
import { type TableRef, tableName } from '../../domain/source.ts'
import { keepsRows } from '../../domain/write.ts'
import type { Adoption } from '../../ports/migrations.ts'
import { type Api, failed } from './api.ts'
import { versionColumn } from './bootstrap.ts'
import { columnsOf, everything, nextName } from './compare.ts'
import { failureOf } from './errors.ts'
import type { Found } from './look.ts'
import { ask } from './query.ts'
import { type TableResource, tablePath } from './tables.ts'

/** What stands between a table that somebody else made and this pipeline. Throws EtlError `notFound` where there is no table. */
export async function adoption(api: Api, pipeline: NamedPipeline, tables: TargetTables, found: Found): Promise<Adoption> {
  const { target, changes } = found
  if (target === undefined) {
    throw new EtlError('notFound', `${tableName(tables.target)} does not exist: there is nothing to take over.`, {
      hint: `the first run makes it: \`npm run etl -- run ${pipeline.name}\``,
    })
  }
  const hasVersion = columnsOf(target).some(column => column.name.toLowerCase() === versionColumn.name)
  const isOurs = hasVersion && found.there.head
  // Its own sentence below: it is what taking over is.
  const others = changes.filter(change => !(change.kind === 'add' && change.column === versionColumn.name))
  const of = (kind: 'expand' | 'keep' | 'breaking') =>
    others.filter(change => change.class === kind).map(change => change.sentence)
  const version = `${literal.table(tables.target)} ADD COLUMN IF NOT EXISTS ${literal.name(versionColumn.name)} ${versionColumn.type}`
  return {
    isOurs,
    rows: target.numRows === undefined ? null : Number(target.numRows),
    refused: [
      ...strange(pipeline, target),
      ...of('breaking').map(
        sentence =>
          `${sentence}: change the pipeline, or \`npm run etl -- evolve ${pipeline.name} --as ${nextName(pipeline.to.table)}\` makes a new table beside it`,
      ),
      ...(await doubled(api, pipeline, tables.target, target)),
    ],
    remarks: [
      ...of('keep'),
      ...(await nulls(api, pipeline, tables.target, target)),
      ...(await surroundings(api, tables.target, target)),
    ],
    changes: [
      ...(hasVersion ? [] : ['it gets the column version TIMESTAMP, NULL in the rows that are there']),
      ...of('expand'),
      ...(found.there.head ? [] : [`${tables.head.dataset}.${tables.head.table} is made: which version is current`]),
      ...(keepsRows(pipeline.write) ? [`${tables.history.table} is made: earlier versions, from the first run on`] : []),
    ],
    scripts: hasVersion ? [] : [`ALTER TABLE ${version};`],
  }
}

function strange(pipeline: NamedPipeline, target: TableResource): readonly string[] {
  const kind = target.type ?? 'TABLE'
  return [
    ...(kind === 'TABLE' ? [] : [`it is no table but a ${kind}: choose another table name`]),
    ...(target.streamingBuffer === undefined
      ? []
      : [
          'rows stream into it (insertAll), and BigQuery changes none of them for 30 minutes: stop what writes there, wait, and try again',
        ]),
    ...(target.expirationTime === undefined
      ? []
      : [
          `it is deleted by itself at ${new Date(Number(target.expirationTime)).toISOString()}: take that away first (\`bq update --expiration 0\`), for ${pipeline.name} would lose what it published`,
        ]),
  ]
}

/** merge looks rows up by their key: two of one key would both be changed. */
async function doubled(api: Api, { write, to }: NamedPipeline, ref: TableRef, target: TableResource): Promise<readonly string[]> {
  const { key } = to.row
  const has = columnsOf(target).map(column => column.name.toLowerCase())
  if (write.mode !== 'merge' || key.some(name => !has.includes(name.toLowerCase()))) return []
  const names = key.map(literal.name).join(', ')
  const groups = `SELECT ${names}, COUNT(*) AS n FROM ${literal.from(ref, key)}${everything(target)} GROUP BY ${names}`
  const isNull = key.map(name => `${literal.name(name)} IS NULL`).join(' OR ')
  const { rows } = await ask(api, `SELECT COUNTIF(n > 1 OR ${isNull}) AS n FROM (${groups})`, 'keys that stand twice')
  const count = Number(rows[0]?.n ?? 0)
  if (count === 0) return []
  return [
    `${count} ${count === 1 ? 'key stands' : 'keys stand'} in several rows, or are NULL (${key.join(', ')}): a merge needs each once; clean the table first`,
  ]
}

/** Required columns that hold NULL in rows which stay. */
async function nulls(api: Api, { write, to }: NamedPipeline, ref: TableRef, target: TableResource): Promise<readonly string[]> {
  const found = new Map(columnsOf(target).map(column => [column.name.toLowerCase(), column]))
  const open = to.row.columns.filter(
    column => column.mode === 'REQUIRED' && found.get(column.name.toLowerCase())?.mode === 'NULLABLE',
  )
  if (write.mode === 'replace' || open.length === 0) return []
  const counts = open.map((column, index) => `COUNTIF(${literal.name(column.name)} IS NULL) AS n${index}`)
  const { rows } = await ask(
    api,
    `SELECT ${counts.join(', ')} FROM ${literal.from(
      ref,
      open.map(column => column.name),
    )}${everything(target)}`,
    'NULLs in the table',
  )
  return open.flatMap((column, index) => {
    const count = Number(rows[0]?.[`n${index}`] ?? 0)
    return count === 0
      ? []
      : [`column ${column.name} takes no NULL in the row schema, but is NULL in ${count} of the rows that stay`]
  })
}

/** What lies around the table: rows that expire, a dataset that deletes its tables, policies that hide rows. */
async function surroundings(api: Api, ref: TableRef, target: TableResource): Promise<readonly string[]> {
  const days = (milliseconds: string) => `${Math.round(Number(milliseconds) / 86_400_000)} days`
  const dataset = await api
    .repeat<{ defaultTableExpirationMs?: string; defaultPartitionExpirationMs?: string }>({
      path: `${ref.project}/datasets/${ref.dataset}`,
    })
    .catch(error => {
      throw failed(api, error, `dataset ${ref.dataset}`)
    })
  const partitions = target.timePartitioning?.expirationMs
  const policies = await rowPolicies(api, ref)
  return [
    ...(partitions === undefined ? [] : [`its rows disappear by themselves ${days(partitions)} after their partition's day`]),
    ...(dataset.defaultTableExpirationMs === undefined
      ? []
      : [`the dataset deletes new tables after ${days(dataset.defaultTableExpirationMs)}: the history would go with them`]),
    ...(policies === 0
      ? []
      : [
          `it has ${policies} row access ${policies === 1 ? 'policy' : 'policies'}: the job's service account needs one with FILTER USING (TRUE), or it changes only the rows it may see`,
        ]),
  ]
}

/** How many; none where the server has no such thing, or nobody may say. */
async function rowPolicies(api: Api, ref: TableRef): Promise<number> {
  try {
    const path = `${tablePath(ref)}/rowAccessPolicies`
    return (await api.once<{ rowAccessPolicies?: readonly unknown[] }>({ path })).rowAccessPolicies?.length ?? 0
  } catch (error) {
    failureOf(error)
    return 0
  }
}
