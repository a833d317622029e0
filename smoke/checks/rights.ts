import { parameter } from '../../src/adapters/bigquery/publish.ts'
import { tablePath } from '../../src/adapters/bigquery/tables.ts'
import { literal } from '../../src/domain/literal.ts'
import { type Check, fails, holds, notLocal, seen, skipped } from '../check.ts'
import { expiring, type Names, ours } from '../names.ts'
import { failureFrom, failureIn, said, type World } from '../world.ts'

const ofTable = ['bigquery.tables.setCategory', 'bigquery.tables.createSnapshot', 'bigquery.tables.deleteSnapshot']
const ofProject = ['bigquery.readsessions.create', 'bigquery.datasets.update', 'bigquery.jobs.create']
const rightsTable = (names: Names) => expiring(names, `CREATE TABLE ${literal.table(ours(names, 'c12'))} (n INT64)`)
const managerUrl = (project: string) => `https://cloudresourcemanager.googleapis.com/v3/projects/${project}:testIamPermissions`

/** 12 */
const permissions: Check = {
  number: 12,
  title: 'which rights this account has',
  does: 'asks testIamPermissions of a table and of the project; changes the dataset by an empty PATCH',
  verifies: '[unv]: that a dataset WRITER lacks setCategory, and what nais gives besides',
  otherwise:
    'it only tells: setCategory decides whether a run may set policy tags, createSnapshot whether history: snapshot can be had, datasets.update whether views are authorised by us',
  cost: {},
  statements: names => [
    rightsTable(names),
    `POST tables/…:testIamPermissions ${ofTable.join(', ')}`,
    `POST ${managerUrl(names.project)} ${ofProject.join(', ')}`,
    `PATCH datasets/${names.dataset} {}`,
  ],
  async run(world) {
    if (world.api.local) return notLocal()
    const { api, names } = world
    await world.script('c12', rightsTable(names))
    const path = `${tablePath(ours(names, 'c12'))}:testIamPermissions`
    const told: string[] = []
    for (const permission of ofTable) {
      // One at a time: a name that a table does not know would refuse the others too.
      const body = { permissions: [permission] }
      const answer = await api.once<{ permissions?: readonly string[] }>({ method: 'POST', path, body }).catch(failureFrom)
      told.push(
        answer instanceof Error ? `${permission}: ${said(answer)}` : `${permission} ${answer.permissions?.length ? 'yes' : 'no'}`,
      )
    }
    told.push(await projectRights(world))
    const patched = await failureIn(api.once({ method: 'PATCH', path: `${api.project}/datasets/${names.dataset}`, body: {} }))
    told.push(`an empty PATCH of the dataset: ${patched === undefined ? 'allowed' : said(patched)}`)
    return seen(
      told.slice(0, ofTable.length).every(line => / (yes|no)$/.test(line)),
      told.join('; '),
    )
  },
}

async function projectRights({ api }: World): Promise<string> {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await api
    .send(managerUrl(api.project), 'POST', headers, JSON.stringify({ permissions: ofProject }))
    .catch(failureFrom)
  if (answer instanceof Error) return `project: ${said(answer)}`
  if (answer.status !== 200)
    return `project: ${answer.status} (Cloud Resource Manager API off, or the credentials are for BigQuery only)`
  const had = (answer.data as { permissions?: readonly string[] }).permissions ?? []
  return ofProject.map(permission => `${permission} ${had.includes(permission) ? 'yes' : 'no'} (project)`).join('; ')
}

const inner = `SELECT 1 AS antall, 'it''s "æ"' AS tekst`
const external = (connection: string, statement: string) =>
  `SELECT antall FROM EXTERNAL_QUERY(${literal.string(connection)}, ${statement})`

/** 13 */
const externalQuery: Check = {
  number: 13,
  title: 'EXTERNAL_QUERY with a STRING parameter',
  does: 'asks the connection of --connection for one row, with the inner statement as a literal, then as a parameter',
  verifies:
    'Federated query functions, EXTERNAL_QUERY(connection_id, external_database_query): that the second may be a parameter is [unv]',
  otherwise:
    'nothing: a read whose parameter is refused sends the inner statement as a literal from then on, as sql transforms do; ✘ of the literal form would stop federated sources',
  cost: {},
  statements: () => [
    external('PROJECT.LOCATION.NAME', literal.string(inner)),
    `${external('PROJECT.LOCATION.NAME', '@statement')}  -- @statement = ${inner}`,
  ],
  async run(world) {
    const { connection } = world.given
    if (world.api.local) return notLocal()
    if (connection === undefined) return skipped('needs --connection PROJECT.LOCATION.NAME')
    const asLiteral = await failureIn(world.script('c13-literal', external(connection, literal.string(inner))))
    if (asLiteral !== undefined) return fails(`as a literal: ${said(asLiteral)}`)
    const asParameter = await failureIn(
      world.script('c13-parameter', external(connection, '@statement'), [parameter('statement', 'STRING', inner)]),
    )
    return asParameter === undefined
      ? holds('as a literal and as a parameter')
      : fails(`as a literal: yes; as a parameter: ${said(asParameter)}`)
  },
}

export const rights: readonly Check[] = [permissions, externalQuery]
