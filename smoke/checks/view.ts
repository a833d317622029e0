import { BigQuery } from '@google-cloud/bigquery'
import { GoogleAuth, Impersonated } from 'google-auth-library'
import { literal } from '../../src/domain/literal.ts'
import type { TableRef } from '../../src/domain/source.ts'
import { type Check, fails, holds, notLocal, skipped } from '../check.ts'
import { expiring, type Names, ours, oursInEtl } from '../names.ts'
import { failureFrom, failureIn, said, type World } from '../world.ts'

const source = (names: Names) => oursInEtl(names, 'c15')
const view = (names: Names) => ours(names, 'c15_view')
const queries = (names: Names) =>
  [`SELECT n FROM ${literal.table(source(names))}`, `SELECT n, n + 1 AS m FROM ${literal.table(source(names))}`] as const
const makeSource = (names: Names) =>
  `${expiring(names, `CREATE TABLE ${literal.table(source(names))} (n INT64)`)}\nINSERT INTO ${literal.table(source(names))} (n) VALUES (1);`
const letIn = (names: Names, reader: string) =>
  `GRANT \`roles/bigquery.dataViewer\` ON VIEW ${literal.table(view(names))} TO ${literal.string(`serviceAccount:${reader}`)}`
const asReader = (names: Names) => `SELECT COUNT(*) AS n FROM ${literal.table(view(names))}`

/** 15 */
export const authorisedView: Check = {
  number: 15,
  title: 'an authorised view after its query was patched',
  does: 'authorises a view on <dataset>_etl, patches its query, looks at the entry; with --reader asks the view before and after, as an account without rights on the source',
  verifies:
    'REST, Dataset.access.view: "If that view is updated by any user, access to the view needs to be granted again via an update operation."',
  otherwise: 'after each change of a view its authorisation is written again, in the same command',
  cost: { tables: 6 },
  statements: names => [
    makeSource(names),
    `POST tables (view) ${queries(names)[0]}`,
    `PATCH datasets/${names.dataset}_etl access: the entries there are, and this view (If-Match)`,
    `PATCH tables/… (view) ${queries(names)[1]}`,
    letIn(names, 'READER'),
    asReader(names),
    `PATCH datasets/${names.dataset}_etl access: without it`,
  ],
  async run(world) {
    const { names, given, api } = world
    const google = world.client()
    await world.script('c15-make', makeSource(names))
    const [first, second] = queries(names)
    const table = google.dataset(names.dataset).table(view(names).table)
    await google
      .dataset(names.dataset)
      .createTable(view(names).table, {
        view: { query: first, useLegacySql: false },
        expirationTime: String(Date.parse(names.expires)),
      })
      .catch(thrown)
    const authorised = await failureIn(changeAccess(world, true))
    if (authorised?.status === 403) return skipped(`no right to authorise a view: ${said(authorised)}`)
    if (authorised !== undefined) return fails(`the view could not be authorised: ${said(authorised)}`)
    try {
      if (given.reader !== undefined && !api.local) await world.script('c15-grant', letIn(names, given.reader))
      const before = await askAs(world, given.reader)
      await table.setMetadata({ view: { query: second, useLegacySql: false } }).catch(thrown)
      const [dataset] = await google.dataset(`${names.dataset}_etl`).getMetadata()
      const isThere = (dataset.access as readonly Entry[]).some(entry => isView(entry, view(names)))
      const evidence = `the entry ${isThere ? 'is still there' : 'is gone'}`
      if (!isThere) return fails(evidence)
      if (api.local) return notLocal(` (${evidence}; views are not queried there)`)
      if (given.reader === undefined)
        return skipped(`${evidence}; whether a reader is still let in needs --reader SERVICE_ACCOUNT`)
      const after = await askAs(world, given.reader)
      if (before !== undefined) return fails(`the reader was not let in before the patch: ${before}`)
      return after === undefined
        ? holds(`${evidence}; the reader is let in before and after`)
        : fails(`${evidence}; the reader afterwards: ${after}`)
    } finally {
      await changeAccess(world, false)
    }
  },
}

type Entry = { readonly view?: { readonly projectId?: string; readonly datasetId?: string; readonly tableId?: string } }

function isView({ view: found }: Entry, { project, dataset, table }: TableRef): boolean {
  return found?.projectId === project && found.datasetId === dataset && found.tableId === table
}

/** Reads the entries, adds ours or takes it out, writes them all back if nobody else did meanwhile. What a killed run left goes too. */
async function changeAccess({ names, client }: World, isAdded: boolean): Promise<void> {
  const dataset = client().dataset(`${names.dataset}_etl`)
  const [{ access, etag }] = await dataset.getMetadata()
  const others = (access as readonly Entry[]).filter(
    ({ view: found }) => !(found?.datasetId === names.dataset && /^smoke_[0-9a-f]{8}_c15_view$/.test(found.tableId ?? '')),
  )
  const { project: projectId, dataset: datasetId, table: tableId } = view(names)
  const own = isAdded ? [{ view: { projectId, datasetId, tableId } }] : []
  await dataset.setMetadata({ access: [...others, ...own], etag }).catch(thrown)
}

/** Why the reader got no answer; undefined if it got one, or if there is none. */
async function askAs(world: World, reader: string | undefined): Promise<string | undefined> {
  const { api, names } = world
  if (reader === undefined || api.local) return undefined
  const sourceClient = await new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] }).getClient()
  const authClient = new Impersonated({
    sourceClient: sourceClient as never,
    targetPrincipal: reader,
    targetScopes: ['https://www.googleapis.com/auth/bigquery'],
    lifetime: 600,
  })
  const failure = await failureIn(
    new BigQuery({ projectId: api.project, location: api.location, authClient }).query(asReader(names)),
  )
  return failure === undefined ? undefined : said(failure)
}

function thrown(error: unknown): never {
  throw failureFrom(error)
}
