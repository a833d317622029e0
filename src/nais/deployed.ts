import type { Yaml } from './yaml.ts'

/** One place where the cluster has something else than the generated manifest says. */
export type Difference = {
  /** Such as `spec.schedule`. */
  readonly path: string
  readonly wanted: string
  readonly found: string
  /** A deployment will not change it: the platform looks at it once, when the thing is made. */
  readonly ignored: boolean
}

/**
 * What differs between a generated Naisjob and the one in the cluster. Only what we say is compared: the platform adds defaults. The image differs
 * with every deployment. `permission` and `description` of a dataset are used when nais makes it and ignored ever after
 * (nais/naiserator: pkg/resourcecreator/google/bigquery, operation CreateIfNotExists).
 */
export function naisjobDifferences(wanted: Yaml, found: unknown): Difference[] {
  const spec = (job: unknown) => (job as { spec?: unknown } | undefined)?.spec
  return differences(spec(wanted), spec(found), 'spec').filter(({ path }) => path !== 'spec.image')
}

/**
 * The access that each dataset of a Naisjob was made with, against what the manifest says by now: READ is READER, READWRITE is WRITER
 * (nais/naiserator: BigQueryDataset, google.nais.io/v1). A dataset that another workload made is left out.
 */
export function datasetDifferences(wanted: Yaml, made: readonly unknown[]): Difference[] {
  const { metadata, spec } = wanted as {
    metadata: { name: string }
    spec: { gcp: { bigQueryDatasets: readonly { name: string; permission: string; description?: string }[] } }
  }
  return spec.gcp.bigQueryDatasets.flatMap(({ name, permission, description }) => {
    const resource = made.map(readDataset).find(each => each.dataset === name && each.owner === metadata.name)
    if (resource === undefined) return []
    const path = `spec.gcp.bigQueryDatasets[${name}]`
    const role = permission === 'READ' ? 'READER' : 'WRITER'
    const roles = resource.roles.join(', ')
    return [
      ...(resource.roles.includes(role) ? [] : [{ path: `${path}.permission`, wanted: permission, found: roles, ignored: true }]),
      ...(description === undefined || description === resource.description
        ? []
        : [{ path: `${path}.description`, wanted: description, found: resource.description ?? 'none', ignored: true }]),
    ]
  })
}

type Resource = {
  readonly dataset: string
  readonly owner: string
  readonly roles: string[]
  readonly description: string | undefined
}

function readDataset(item: unknown): Resource {
  const { metadata, spec } = item as {
    metadata?: { ownerReferences?: readonly { name?: string }[] }
    spec?: { name?: string; description?: string; access?: readonly { role?: string }[] }
  }
  return {
    dataset: spec?.name ?? '',
    owner: metadata?.ownerReferences?.[0]?.name ?? '',
    roles: (spec?.access ?? []).map(entry => entry.role ?? ''),
    description: spec?.description,
  }
}

function differences(wanted: unknown, found: unknown, path: string): Difference[] {
  if (Array.isArray(wanted) && isNamed(wanted)) {
    const others = Array.isArray(found) && isNamed(found) ? found : []
    return wanted.flatMap(item =>
      differences(
        item,
        others.find(other => other.name === item.name),
        `${path}[${item.name}]`,
      ),
    )
  }
  if (typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)) {
    const other = (typeof found === 'object' && found !== null ? found : {}) as Record<string, unknown>
    return Object.entries(wanted).flatMap(([key, value]) =>
      value === undefined ? [] : differences(value, other[key], `${path}.${key}`),
    )
  }
  if (JSON.stringify(wanted) === JSON.stringify(found)) return []
  const ignored = /^spec\.gcp\.bigQueryDatasets\[[^\]]*\]\.(permission|description)$/.test(path) && found !== undefined
  return [{ path, wanted: text(wanted), found: text(found), ignored }]
}

function isNamed(list: readonly unknown[]): list is readonly { name: string }[] {
  return list.length > 0 && list.every(item => typeof (item as { name?: unknown } | null)?.name === 'string')
}

function text(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
