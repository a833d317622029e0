import { EtlError } from '../domain/error.ts'

/** Who the jobs belong to, from package.json: `"nais": { "team": "nais-analyse", "name": "naisapps-agg-dataproduct" }`. */
export type Deployment = {
  /** The first Naisjob's name. */
  readonly name: string
  /** The team, which is the namespace too. */
  readonly team: string
}

/**
 * Kubernetes cuts what it makes Job names from at 58 characters, and `<naisjob>-<8 digits of minutes>-` has to fit, since the minute is the run's slot
 * (docs/identity.md).
 */
const longestName = 48

/**
 * Reads the team and the name from a package.json. Without a name of its own it is the package's.
 * @throws EtlError `config` for a team or name that is missing or that nais can't take.
 */
export function deploymentOf(packageJson: unknown): Deployment {
  const { name: packageName, nais } = record(packageJson)
  const { team, name } = record(nais)
  if (typeof team !== 'string') {
    throw new EtlError('config', 'package.json › nais › team is missing.', { hint: 'add "nais": { "team": "YOUR-TEAM" }' })
  }
  if (!/^[a-z][a-z0-9-]{1,28}[a-z0-9]$/.test(team)) {
    throw new EtlError('config', `package.json › nais › team: ${JSON.stringify(team)} is no team of nais.`, {
      hint: 'lower case letters, digits and -, at most 30',
    })
  }
  const base = name ?? (typeof packageName === 'string' ? packageName.replace(/^@[^/]*\//, '') : '')
  if (typeof base !== 'string' || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(base)) {
    throw new EtlError('config', `package.json › nais › name: ${JSON.stringify(base)} is no name of a job.`, {
      hint: 'lower case letters, digits and -',
    })
  }
  return { name: naisjobName(base, 0), team }
}

/**
 * The name of the n-th Naisjob, from 0: NAME, NAME-2, NAME-3. Numbers and not schedules or pipelines, so that a new schedule or pipeline renames no job:
 * the deploy action never deletes, and a renamed job would run twice.
 * @throws EtlError `config` above 48 characters.
 */
export function naisjobName(base: string, index: number): string {
  const name = index === 0 ? base : `${base}-${index + 1}`
  if (name.length > longestName) {
    throw new EtlError(
      'config',
      `the job's name ${name} has ${name.length} characters, at most ${longestName} are possible: Kubernetes makes Job names from it.`,
      {
        hint: 'give it a shorter one in package.json › nais › name',
      },
    )
  }
  return name
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
