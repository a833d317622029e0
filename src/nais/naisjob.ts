import type { NamedPipeline } from '../domain/pipeline.ts'
import { accessOf } from './access.ts'
import { type Deployment, naisjobName } from './deployment.ts'
import { nodeFlags, resources } from './memory.ts'
import type { Group } from './schedules.ts'
import { type Yaml, yamlDocument, yamlFile } from './yaml.ts'

/** A Job that hangs ends after this long; alerts.ts allows as much between a tick and its success. Seconds. */
export const deadline = 3600

/** Where the deploy action puts the image, if there are several Naisjobs in a file. */
const image = '{{image}}'

/** All Naisjobs of one environment as one YAML file: a document a schedule. */
export function naisjobFile(groups: readonly Group[], deployment: Deployment, environment: string): string {
  const jobs = naisjobs(groups, deployment, environment)
  return yamlFile(groups.map((group, index) => yamlDocument(jobs[index] ?? {}, comment(group, environment))))
}

/** All Naisjobs of one environment as values, in the order of the groups. */
export function naisjobs(groups: readonly Group[], deployment: Deployment, environment: string): Yaml[] {
  return groups.map((_, index) => naisjob(groups, index, deployment, environment))
}

/**
 * One Naisjob. Keys: the platform's CRD nais.io_naisjobs, which has no probes, ports or `args` for a Job.
 *
 * The image: with one Naisjob it is left out, and the deploy action gives it in a companion Image by WORKLOAD_IMAGE, as the platform advises. With several the
 * action skips that (nais/deploy: pkg/deployclient, "Multiple workload names detected, skipping image resource generation"), and each names the template's variable.
 */
function naisjob(groups: readonly Group[], index: number, { name: base, team }: Deployment, environment: string): Yaml {
  const { schedule, timeZone, pipelines } = groups[index] as Group
  return {
    apiVersion: 'nais.io/v1',
    kind: 'Naisjob',
    metadata: { name: naisjobName(base, index), namespace: team, labels: { team } },
    spec: {
      image: groups.length > 1 ? image : undefined,
      command: ['node', ...nodeFlags, 'bin/etl.js', 'run', ...pipelines.map(pipeline => pipeline.name)],
      schedule,
      timeZone,
      // A second run beside the first would do no harm, only work for nothing.
      concurrencyPolicy: 'Forbid',
      activeDeadlineSeconds: deadline,
      // The run stops before it publishes when too little of the deadline is left.
      env: [{ name: 'ETL_DEADLINE_SECONDS', value: String(deadline) }],
      envFrom: secrets(pipelines),
      // A retried pod belongs to the same run and can't publish twice (docs/identity.md).
      backoffLimit: 2,
      // A new pod for each retry keeps the failed one's log.
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 60,
      resources,
      gcp: gcp(pipelines, environment),
    },
  }
}

function gcp(pipelines: readonly NamedPipeline[], environment: string): Yaml {
  const { datasets, permissions } = accessOf(pipelines, environment)
  return { bigQueryDatasets: datasets, permissions: permissions.length === 0 ? undefined : permissions }
}

/**
 * A secret for each database that the pipelines read themselves: SAK_DB_URL is in `sak-db`. It is somebody's own, since nais gives the variables of a database to the app that owns
 * it only (nais: Cloud SQL, "The application is the only application that can access the database instance").
 */
function secrets(pipelines: readonly NamedPipeline[]): Yaml[] | undefined {
  const databases = pipelines
    .flatMap(({ from }) => Object.values(from))
    .flatMap(source => (source.kind === 'postgres' ? [source.database] : []))
  const names = [...new Set(databases)].sort().map(name => name.toLowerCase().replaceAll('_', '-'))
  return names.length === 0 ? undefined : names.map(secret => ({ secret }))
}

function comment({ pipelines }: Group, environment: string): string[] {
  const { elsewhere } = accessOf(pipelines, environment)
  return [
    `Generated from src/pipelines (${names(pipelines)}) by npm run etl -- manifest: change the pipeline, not this file.`,
    ...(elsewhere.length === 0
      ? []
      : [`No manifest can give access to what lies in other projects; its owners do (docs/deploy.md): ${elsewhere.join(', ')}`]),
  ]
}

function names(pipelines: readonly NamedPipeline[]): string {
  return pipelines.map(pipeline => pipeline.name).join(', ')
}
