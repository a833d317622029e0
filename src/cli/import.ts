import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { EtlError } from '../domain/error.ts'
import type { Command } from './command.ts'
import { refuseUnlessName } from './scaffold.ts'
import { pipelineText } from './scheduled/pipeline.ts'
import { readQuery } from './scheduled/query.ts'
import { cronOfSchedule, readScheduled, type Scheduled } from './scheduled/transfer.ts'
import { writeNew } from './write-new.ts'

const usualCron = '0 5 * * *'

export const importer: Command = {
  name: 'import',
  summary: 'turn a scheduled federated query into a pipeline file',
  usage: 'scheduled-query FILE [--name NAME]',
  help: `Writes src/pipelines/NAME.ts from a scheduled query over EXTERNAL_QUERY. FILE is what bq says of it, or its SQL as the console shows it:

  bq show --transfer_config --format=json projects/P/locations/L/transferConfigs/ID > query.json

The row schema has the columns of the query; their types come from its casts, and where it has none a comment says that they are guessed. No file that exists is touched.

  --name NAME      the pipeline's name (if left out: the table's, else the file's)

Examples
  npm run etl -- import scheduled-query query.json
  npm run etl -- import scheduled-query query.sql --name dataprodukter`,
  options: { name: { type: 'string' } },
  words: { least: 2, most: 2 },
  async run({ words: [what, file = ''], flags, root, out }) {
    if (what !== 'scheduled-query')
      throw new EtlError('usage', `etl import ${what}: there is only \`import scheduled-query FILE\`.`, {
        hint: '`--help` shows examples',
      })
    const scheduled = readScheduled(await read(resolve(root, file), file))
    const { table } = scheduled
    const name = typeof flags.name === 'string' ? flags.name : nameFrom(table ?? basename(file).replace(/\.\w+$/, ''))
    refuseUnlessName(name)
    const query = readQuery(scheduled.sql)
    const cron = cronOfSchedule(scheduled.schedule, scheduled.next)
    const keepsAll = scheduled.appends || query.columns.some(column => column.name === 'version')
    const own = name.replaceAll('-', '_')
    const { text, guessed } = pipelineText({
      query,
      title: scheduled.title ?? name,
      dataset: scheduled.dataset ?? own,
      table: table ?? own,
      cron: cron ?? usualCron,
      keepsAll,
    })
    const path = `src/pipelines/${name}.ts`
    await writeNew(root, { [path]: text })
    out.line(`wrote ${path}\n`)
    for (const line of remarks({ name, scheduled, cron, guessed, keepsAll })) out.line(line)
    return 0
  },
}

function remarks({
  name,
  scheduled,
  cron,
  guessed,
  keepsAll,
}: {
  readonly name: string
  readonly scheduled: Scheduled
  readonly cron: string | undefined
  readonly guessed: readonly string[]
  readonly keepsAll: boolean
}): string[] {
  const { schedule, title, resource, dataset, table } = scheduled
  const time =
    schedule === undefined
      ? `The file says nothing of a schedule: it runs at ${usualCron}, in UTC.`
      : cron === undefined
        ? `The schedule '${schedule}' has no cron fields here: it runs at ${usualCron}, in UTC.`
        : `'${schedule}' is ${cron} in UTC, as it was: take timeZone away if the clock in Oslo is meant.`
  return [
    ...(guessed.length === 0 ? [] : [`Types that are guessed: ${guessed.join(', ')}. doctor says what Postgres has.`]),
    'Every column may be NULL: take .nullable() away where none is, and name a key: row({ … }, { key: [ … ] }).',
    ...(keepsAll
      ? [
          'The column version is gone: every published row has one, the table holds the newest, and `read --version` each earlier one.',
        ]
      : []),
    time,
    `
Next: npm run etl -- doctor ${name}               (asks the connection, and Postgres for the types)
      fixtures/${name}/first/kilde.sql, expected.csv   (a test case: docs/federated.md)
      npm run etl -- manifest                     (adds the job to naisjob.yaml)`,
    ...(table === undefined
      ? []
      : [
          `      npm run etl -- adopt ${name}                (takes over ${dataset}.${table}, which the scheduled query has made)`,
        ]),
    `
When it publishes what you expect, switch the old one off: in the console, BigQuery, Scheduled queries, ${title === undefined ? 'the query' : `'${title}'`}, Disable${resource === undefined ? '' : ` (${resource})`}. Two that write one table undo each other.
Its service account then needs no rights any more: the job has its own, from naisjob.yaml.`,
  ]
}

async function read(path: string, said: string): Promise<string> {
  return readFile(path, 'utf8').catch(cause => {
    throw new EtlError('usage', `${said} can't be read.`, {
      hint: 'name a file with the JSON of bq show, or with the SQL',
      cause,
    })
  })
}

function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-$/g, '')
}
