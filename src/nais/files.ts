import type { NamedPipeline } from '../domain/pipeline.ts'
import { alertsFile } from './alerts.ts'
import type { Deployment } from './deployment.ts'
import { naisjobFile, naisjobs } from './naisjob.ts'
import { type CronOf, groupsOf } from './schedules.ts'
import type { Yaml } from './yaml.ts'

/** A generated file and the environments it is deployed to. The path starts at the project's folder. */
export type ManifestFile = { readonly path: string; readonly environments: readonly Environment[]; readonly text: string }

type Environment = (typeof environments)[number]
const environments = ['dev', 'prod'] as const

/** Every path that `manifestFiles` can give: one of these that it doesn't give is left over. */
export const manifestPaths = ['naisjob.yaml', 'naisjob.dev.yaml', 'naisjob.prod.yaml', 'alerts.yaml'] as const

/**
 * All that is deployed. One naisjob.yaml, as long as no name of `env({ dev, prod })` makes a difference to it; otherwise naisjob.dev.yaml and naisjob.prod.yaml.
 * The same pipelines give the same text.
 * @throws EtlError `pipeline` for a schedule or dataset, `config` for a name, that nais or Kubernetes can't take.
 */
export function manifestFiles(pipelines: readonly NamedPipeline[], deployment: Deployment, cronOf: CronOf): ManifestFile[] {
  const groups = groupsOf(pipelines, cronOf)
  if (groups.length === 0) return []
  const [dev, prod] = [naisjobFile(groups, deployment, 'dev'), naisjobFile(groups, deployment, 'prod')]
  const jobFiles: ManifestFile[] =
    dev === prod
      ? [{ path: 'naisjob.yaml', environments, text: prod }]
      : [
          { path: 'naisjob.dev.yaml', environments: ['dev'], text: dev },
          { path: 'naisjob.prod.yaml', environments: ['prod'], text: prod },
        ]
  return [...jobFiles, { path: 'alerts.yaml', environments, text: alertsFile(groups, deployment, cronOf) }]
}

/** The Naisjobs of one environment as values, to be compared with what is deployed. Throws like `manifestFiles`. */
export function naisjobsOf(
  pipelines: readonly NamedPipeline[],
  deployment: Deployment,
  cronOf: CronOf,
  environment: string,
): Yaml[] {
  return naisjobs(groupsOf(pipelines, cronOf), deployment, environment)
}

/** Names of Naisjobs that an older text has and a newer lacks: the deploy action never deletes, so somebody must, or they go on running. */
export function goneNaisjobs(before: string, after: string): string[] {
  const kept = naisjobNames(after)
  return naisjobNames(before).filter(name => !kept.includes(name))
}

function naisjobNames(text: string): string[] {
  return [...text.matchAll(/^kind: Naisjob\nmetadata:\n {2}name: '?([a-z0-9-]+)'?$/gm)].map(match => match[1] ?? '')
}
