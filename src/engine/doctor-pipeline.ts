import { sizeText } from '../domain/cost.ts'
import { datesCondition, literal } from '../domain/literal.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import type { TargetTables } from '../domain/run.ts'
import type { Source } from '../domain/source.ts'
import type { Examiner, TableFacts } from '../ports/doctor.ts'
import type { Ports } from '../ports/index.ts'
import { copiedSource } from './bulk.ts'
import { bad, type Check, checked, examineDataset, examineHead, ok, open, type Verdict } from './doctor.ts'
import { makePlan, tablesOf } from './plan.ts'
import { readerOf, readRequest } from './request.ts'
import type { RunRequest, Settings } from './settings.ts'

/** Everything about one pipeline, target after target, in the order in which a run would stumble over it. Changes nothing. */
export async function examinePipeline(
  pipeline: NamedPipeline,
  request: RunRequest,
  ports: Pick<Ports, 'readers' | 'warehouse'>,
  settings: Settings,
  examiner: Examiner,
): Promise<Check[]> {
  const checks: Check[] = []
  for (const part of partsOf(pipeline)) checks.push(...(await examineTarget(part, request, ports, settings, examiner)))
  return checks
}

async function examineTarget(
  pipeline: NamedPipeline,
  request: RunRequest,
  ports: Pick<Ports, 'readers' | 'warehouse'>,
  settings: Settings,
  examiner: Examiner,
): Promise<Check[]> {
  const about = pipeline.name
  const tables = tablesOf(pipeline, settings)
  const look = (name: string, work: () => Promise<Verdict> | Verdict) => checked(about, name, work)
  const datasets: Check[] = []
  for (const place of [tables.target, tables.head]) datasets.push(await examineDataset(about, place, settings.location, examiner))
  let plan: Plan | undefined
  const planned = await look('plan', async () => {
    plan = await makePlan(pipeline, request, ports, settings)
    return ok('a run could be planned')
  })
  const sources: Check[] = []
  for (const [name, source] of Object.entries(pipeline.from))
    sources.push(await look(`source ${name}`, () => sourceVerdict(pipeline, source, plan, name, ports, examiner)))
  if (datasets.some(check => check.state === 'bad')) return [...datasets, ...sources, planned]
  const target = await look(`target ${tables.target.table}`, () => targetVerdict(tables, pipeline, examiner))
  const head = await examineHead(about, tables, examiner, ports.warehouse)
  return [...datasets, ...sources, target, head, planned, ...(await writeChecks(pipeline, tables, plan, examiner))]
}

/** There, where the jobs run, with the columns of its schema, and readable: the dry run of the very SELECT, or of all of it where nothing could be planned. */
async function sourceVerdict(
  pipeline: NamedPipeline,
  source: Source,
  plan: Plan | undefined,
  name: string,
  { readers, warehouse }: Pick<Ports, 'readers' | 'warehouse'>,
  examiner: Examiner,
): Promise<Verdict> {
  const facts = await readerOf(source, readers).facts(source)
  if (source.kind === 'external')
    return ok(`${facts.name} answers, and EXTERNAL_QUERY takes the types of its ${facts.columns.length} columns`)
  if (source.kind === 'postgres') {
    const way = copiedSource({ pipeline }, { readers }) === undefined ? 'row by row' : 'in bulk'
    return ok(
      `${facts.name} answers, and the types of its ${facts.columns.length} columns fit; it is read by a binary COPY, ${way}`,
    )
  }
  if (source.kind !== 'table' && source.kind !== 'query') return ok(`${facts.name} is there`)
  const scope = plan?.scope ?? null
  const sql =
    pipeline.transform.kind === 'sql'
      ? warehouse.queryText(pipeline, scope)
      : (plan?.sources.find(each => each.name === name)?.read ??
        readerOf(source, readers).text(source, readRequest(pipeline, source, scope)))
  const bytes = await examiner.dryRun(sql)
  return ok(`${facts.name} may be read${bytes === null ? '' : `, ${sizeText(bytes)} a run`} (dry run of the query)`)
}

async function targetVerdict(tables: TargetTables, pipeline: NamedPipeline, examiner: Examiner): Promise<Verdict> {
  const facts = await examiner.table(tables.target)
  if (facts === null) return open('not made yet: the first run makes it')
  if (facts.streaming)
    return bad(
      'has rows in its streaming buffer: BigQuery changes none of them for 30 minutes',
      'stop what streams into it (insertAll); nobody but this pipeline may write to a target',
    )
  if (facts.expires !== null)
    return bad(
      `is deleted at ${facts.expires}`,
      `ALTER TABLE ${literal.table(tables.target)} SET OPTIONS (expiration_timestamp = NULL)`,
    )
  const policies = await examiner.rowPolicies(tables.target)
  return ok([`is there, ${pipeline.write.mode}`, ...remarks(facts, policies, pipeline)].join('; '))
}

/** What is no fault, and good to know. */
function remarks({ filterOn, tagged }: TableFacts, policies: number | null, { write }: NamedPipeline): string[] {
  return [
    policies === null
      ? 'row policies can’t be seen from here'
      : policies > 0
        ? `${policies} row policies: the job's service account needs one of its own, FILTER USING (TRUE)`
        : undefined,
    tagged.length > 0
      ? `policy tags on ${tagged.join(', ')}: only a mode that compares columns (merge) needs to read them`
      : undefined,
    filterOn !== null && !(write.mode === 'partition' && write.column === filterOn)
      ? `queries need a filter on ${filterOn}, which ${write.mode} has none of: not known to work on the service`
      : undefined,
  ].filter(text => text !== undefined)
}

/** Dry runs of what a run sends to its own tables. */
async function writeChecks(
  pipeline: NamedPipeline,
  tables: TargetTables,
  plan: Plan | undefined,
  examiner: Examiner,
): Promise<Check[]> {
  const dry = (name: string, statements: readonly string[], says: string) =>
    checked(pipeline.name, name, async () => {
      if (statements.length === 0) return open('nothing to try: the tables are not made yet')
      for (const sql of statements) await examiner.dryRun(sql)
      return ok(`${says} (dry run; only a run shows load jobs and the commit)`)
    })
  const stage = { ...tables.head, table: `stage__${tables.target.table}__doctor` }
  const facts = await examiner.table(tables.target)
  const there = {
    head: (await examiner.table(tables.head)) !== null,
    runs: (await examiner.table(tables.runs)) !== null,
  }
  return [
    await dry(
      'may make tables',
      [`CREATE TABLE ${literal.table(stage)} (x INT64)`, ...(plan?.bootstrap ?? [])],
      'in both datasets',
    ),
    await dry(
      'may publish',
      [
        ...(there.head ? [`UPDATE ${literal.table(tables.head)} SET seq = seq + 1 WHERE seq < 0`] : []),
        ...(facts === null ? [] : targetStatements(pipeline, tables, facts)),
        ...(there.runs ? [note(tables)] : []),
      ],
      'head, table and ledger may be written',
    ),
  ]
}

/** What empties and fills the table, with no row that it would touch. */
function targetStatements({ write, to }: NamedPipeline, { target }: TargetTables, { filterOn }: TableFacts): string[] {
  const names = [...to.row.columns.map(column => column.name), 'version']
  const columns = names.map(literal.name).join(', ')
  const from = literal.from(target, names)
  const none = filterOn === null ? 'version IS NULL' : `version IS NULL AND ${literal.name(filterOn)} IS NULL`
  const emptied =
    write.mode === 'replace'
      ? [`TRUNCATE TABLE ${literal.table(target)}`]
      : write.mode === 'partition'
        ? [`DELETE FROM ${from} WHERE ${datesCondition(write.column, ['0001-01-01'])}`]
        : []
  return [...emptied, `INSERT INTO ${literal.table(target)} (${columns}) SELECT ${columns} FROM ${from} WHERE ${none}`]
}

function note({ runs }: TargetTables): string {
  return `INSERT INTO ${literal.table(runs)} (logged_at, event, pipeline, run, attempt, version) VALUES (CURRENT_TIMESTAMP(), 'doctor', '', '', '', CURRENT_TIMESTAMP())`
}
