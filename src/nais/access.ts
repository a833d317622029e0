import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import { tableRef } from '../domain/source.ts'

/** An entry of spec.gcp.bigQueryDatasets. */
type DatasetAccess = { readonly name: string; readonly permission: 'READ' | 'READWRITE' }

/** An entry of spec.gcp.permissions. Without a name the resource is the team's own project (naiserator: google/iam/policymember.go). */
type Permission = { readonly role: string; readonly resource: { readonly apiVersion: string; readonly kind: string } }

/** What pipelines may touch in one environment, and what a manifest can't give them. */
export type Access = {
  readonly datasets: readonly DatasetAccess[]
  /** Roles on the team's project. */
  readonly permissions: readonly Permission[]
  /** Tables and connections of other projects: nais puts the team's own project before every grant, so their owners must give access. And what a query reads that nobody understands. */
  readonly elsewhere: readonly string[]
}

const own = ''

/**
 * The least that the pipelines need: READWRITE on each target's dataset and on its `_etl` dataset (stage, head, ledger), READ on other datasets of the
 * team's own project that hold a source or what a query names (`reads`). The right to run jobs (roles/bigquery.jobUser) comes with the first entry by itself (naiserator). A federated source needs
 * the right to use connections besides (BigQuery: Cloud SQL federated queries, "Required roles"), one that is declared large the right to sessions of the
 * Storage Read API; other sources need nothing else.
 * @throws EtlError `pipeline` for a source dataset whose name nais can't take.
 */
export function accessOf(pipelines: readonly NamedPipeline[], environment: string): Access {
  const targets = unique(pipelines.flatMap(partsOf).map(part => nameIn(part.to.dataset, environment)))
  const written = targets.flatMap(dataset => [dataset, `${dataset}_etl`])
  const refs = pipelines.flatMap(({ from, reads = {} }) => [
    ...Object.values(from).flatMap(source => (source.kind === 'table' ? [tableRef(nameIn(source.table, environment), own)] : [])),
    ...Object.values(reads).flatMap(tables => tables ?? []),
  ])
  const connections = pipelines
    .flatMap(pipeline => Object.values(pipeline.from))
    .flatMap(source => (source.kind === 'external' ? [nameIn(source.connection, environment)] : []))
  const read = unique(refs.filter(ref => ref.project === own).map(ref => ref.dataset)).filter(
    dataset => !written.includes(dataset),
  )
  // nais: spec.gcp.bigQueryDatasets[].name
  const impossible = read.find(dataset => !/^[a-z0-9][a-z0-9_]+$/.test(dataset))
  if (impossible !== undefined) {
    throw new EtlError(
      'pipeline',
      `nais can't give access to the source dataset ${impossible}: it takes lower case letters, digits and _ only.`,
      {
        hint: "name it with its project ('project.dataset.table') and give the job's service account access by hand",
      },
    )
  }
  const isLarge = pipelines
    .filter(pipeline => partsOf(pipeline).some(part => part.transform.kind !== 'sql'))
    .flatMap(pipeline => Object.values(pipeline.from))
    .some(source => (source.kind === 'table' || source.kind === 'query') && source.large)
  return {
    datasets: [
      ...written.map(name => ({ name, permission: 'READWRITE' }) as const),
      ...read.map(name => ({ name, permission: 'READ' }) as const),
    ],
    permissions: [...(connections.some(isOwn) ? [connectionUser] : []), ...(isLarge ? [readSessionUser] : [])],
    elsewhere: unique([
      ...refs.filter(ref => ref.project !== own).map(ref => `${ref.project}.${ref.dataset}.${ref.table}`),
      ...pipelines.flatMap(({ name, reads = {} }) =>
        Object.entries(reads).flatMap(([source, tables]) =>
          tables === null ? [`what the query ${source} of ${name} reads (Google's analyser doesn't understand it)`] : [],
        ),
      ),
      ...connections.filter(name => !isOwn(name)).map(name => `connection ${name}`),
    ]),
  }
}

/** A connection of another project has its name in front. */
const isOwn = (connection: string) => connection.split('.').length < 3

const resource = { apiVersion: 'resourcemanager.cnrm.cloud.google.com/v1beta1', kind: 'Project' } as const
const connectionUser: Permission = { role: 'roles/bigquery.connectionUser', resource }
/** BigQuery: Storage Read API, "Permissions": bigquery.readsessions.*, beside the right to read the table. */
const readSessionUser: Permission = { role: 'roles/bigquery.readSessionUser', resource }

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}
