import { type Deployment, naisjobName } from './deployment.ts'
import { deadline } from './naisjob.ts'
import { type CronOf, type Group, longestGap } from './schedules.ts'
import { type Yaml, yamlDocument } from './yaml.ts'

/**
 * The alerts of all Naisjobs as a PrometheusRule (monitoring.coreos.com/v1). Metrics: kube-state-metrics, docs/metrics/workload/{job,cronjob}-metrics.md; every
 * Naisjob is a CronJob, and Jobs made by hand from it carry its owner reference as well (nais/api, kubectl).
 */
export function alertsFile(groups: readonly Group[], deployment: Deployment, cronOf: CronOf): string {
  const rule: Yaml = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: deployment.name, namespace: deployment.team, labels: { team: deployment.team } },
    spec: {
      groups: groups.map((group, index) => {
        const job = naisjobName(deployment.name, index)
        return {
          name: job,
          rules: [
            failed(job, deployment.team, group),
            didNotRun(job, deployment.team, group, cronOf),
            missing(job, deployment.team),
          ],
        }
      }),
    },
  }
  return escaped(
    yamlDocument(rule, [
      'Generated from src/pipelines by npm run etl -- manifest: change the pipeline, not this file.',
      'A backslash before two braces is for the deploy action, whose templates would take them for its own.',
    ]),
  )
}

/** Handlebars, as nais/deploy reads it: `\{{` stands for two braces. */
function escaped(text: string): string {
  return text.replaceAll('{{', '\\{{')
}

/** A failed Job stays for days (failedJobsHistoryLimit), so a success that came later must silence it. */
function failed(job: string, team: string, { pipelines }: Group): Yaml {
  return {
    alert: `${job}-failed`,
    expr: `max by (namespace, job_name) (kube_job_failed{namespace="${team}", condition="true"}) == 1
  and on (namespace, job_name) kube_job_owner{namespace="${team}", owner_kind="CronJob", owner_name="${job}"}
  unless on (namespace, job_name) (
    max by (namespace, job_name) (kube_job_status_start_time{namespace="${team}"})
      < on (namespace) group_left ()
    max by (namespace) (kube_cronjob_status_last_successful_time{namespace="${team}", cronjob="${job}"})
  )`,
    labels: { namespace: team, severity: 'warning' },
    annotations: {
      summary: `${job}: the Job {{ $labels.job_name }} failed`,
      consequence: `${pipelines.length > 1 ? 'One or more of ' : ''}${list(pipelines)} published nothing. Readers still see the version before, whole; it grows old.`,
      action: `kubectl logs -n ${team} job/{{ $labels.job_name }} says where and why. When it is mended: ${trigger(job, team)}`,
    },
  }
}

/**
 * No success for the longest time between two ticks and a Job's longest duration: 26 hours for a daily one in Norway, since two 06:30s are 25 hours apart when
 * summer time ends. A CronJob that never succeeded has no such time; then its age counts.
 */
function didNotRun(job: string, team: string, group: Group, cronOf: CronOf): Yaml {
  const labels = `namespace="${team}", cronjob="${job}"`
  const seconds = longestGap(group, cronOf) + deadline
  return {
    alert: `${job}-did-not-run`,
    expr: `time() - max by (namespace, cronjob) (kube_cronjob_status_last_successful_time{${labels}}) > ${seconds}
or
time() - (
  max by (namespace, cronjob) (kube_cronjob_created{${labels}})
    unless on (namespace, cronjob) kube_cronjob_status_last_successful_time{${labels}}
) > ${seconds}`,
    labels: { namespace: team, severity: 'critical' },
    annotations: {
      summary: `${job} has not succeeded for {{ $value | humanizeDuration }}; its schedule is ${group.schedule} ${group.timeZone}`,
      consequence: `What ${list(group.pipelines)} ${group.pipelines.length > 1 ? 'publish' : 'publishes'} is older than a reader expects.`,
      action: `kubectl get cronjob,jobs -n ${team} -l app=${job} says whether it was suspended, never started or never ended. To run it now: ${trigger(job, team)}`,
    },
  }
}

/** Without this, a deleted job, or metrics that nobody collects, would look like health. */
function missing(job: string, team: string): Yaml {
  return {
    alert: `${job}-missing`,
    expr: `absent(kube_cronjob_created{namespace="${team}", cronjob="${job}"})`,
    for: '30m',
    labels: { namespace: team, severity: 'critical' },
    annotations: {
      summary: `No CronJob ${job}, or nobody measures it`,
      consequence: 'It will not run, and the other alerts of this job can not fire.',
      action: `kubectl get naisjob,cronjob -n ${team} ${job}. If it is gone: deploy again. If it was removed on purpose: remove its pipeline, run npm run etl -- manifest, deploy.`,
    },
  }
}

function trigger(job: string, team: string): string {
  return `nais job trigger ${job} -t ${team} -e prod-gcp (in dev: -e dev-gcp) makes a new version.`
}

function list(pipelines: readonly { readonly name: string }[]): string {
  return pipelines.map(pipeline => pipeline.name).join(', ')
}
