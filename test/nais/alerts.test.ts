import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { cronOf } from '../../src/engine/tick.ts'
import { manifestFiles } from '../../src/nais/files.ts'
import appsPerEnv from '../../src/pipelines/apps-per-env.ts'
import { copying, deployment, has } from './support.ts'

const flagship: NamedPipeline = { ...appsPerEnv, name: 'apps-per-env' }
const job = deployment.name

type Rule = { alert: string; expr: string; labels: Record<string, string>; annotations: Record<string, string> }
type PrometheusRule = { metadata: unknown; spec: { groups: { name: string; rules: Rule[] }[] } }

function alertsText(pipelines = [flagship]): string {
  return manifestFiles(pipelines, deployment, cronOf).find(file => file.path === 'alerts.yaml')?.text ?? ''
}

/** As it is after the deploy action: its templates turn `\{{` into two braces. */
function deployed(pipelines = [flagship]): PrometheusRule {
  return parse(alertsText(pipelines).replaceAll('\\{{', '{{')) as PrometheusRule
}

test('every alert goes to the team, with its severity and what to do', () => {
  const rules = deployed().spec.groups.flatMap(group => group.rules)
  expect(rules.map(rule => [rule.alert, rule.labels.namespace, rule.labels.severity])).toEqual([
    [`${job}-failed`, 'nais-analyse', 'warning'],
    [`${job}-did-not-run`, 'nais-analyse', 'critical'],
    [`${job}-missing`, 'nais-analyse', 'critical'],
  ])
  for (const rule of rules) expect(Object.keys(rule.annotations)).toEqual(['summary', 'consequence', 'action'])
  expect(rules[0]?.annotations.action).toContain('kubectl logs -n nais-analyse job/{{ $labels.job_name }}')
  expect(rules[0]?.annotations.action).toContain('nais job trigger naisapps-agg-dataproduct -t nais-analyse -e prod-gcp')
})

test.each([
  [[flagship], 'What apps-per-env publishes is older than a reader expects.'],
  [[flagship, copying('copy', {})], 'What apps-per-env, copy publish is older than a reader expects.'],
])('one pipeline publishes, several publish (%#)', (pipelines, consequence) => {
  expect(deployed(pipelines).spec.groups[0]?.rules[1]?.annotations.consequence).toBe(consequence)
})

test('the deploy action finds no template of its own in the file, and YAML can read it before and after', () => {
  expect(alertsText().match(/(?<!\\)\{\{/g)).toBeNull()
  expect(parse(alertsText())).toMatchObject({ kind: 'PrometheusRule', metadata: { name: job, namespace: 'nais-analyse' } })
})

test('each schedule has its own patience: the longest time between two ticks and the longest run', () => {
  const groups = deployed([flagship, copying('hourly', { schedule: '5 * * * *' })]).spec.groups
  const seconds = groups.map(group => [group.name, /> (\d+)$/.exec(group.rules[1]?.expr ?? '')?.[1]])
  expect(seconds).toEqual([
    [job, `${26 * 3600}`],
    [`${job}-2`, `${2 * 3600}`],
  ])
})

// What follows asks Prometheus itself. Time starts at 0: series are written as if the success of the first day came at 06:32.
const promtool = 'promtool'
const there = has(promtool)
if (!there) console.error('SKIPPED: the alerts are not tried: promtool is missing (Debian: apt-get install prometheus).')

describe.skipIf(!there)('asked by promtool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const of = (labels: Record<string, string>) =>
    `{${Object.entries({ namespace: 'nais-analyse', ...labels }).map(([name, value]) => `${name}="${value}"`)}}`
  const cronjob = of({ cronjob: job })
  const created = { series: `kube_cronjob_created${cronjob}`, values: '0x3000' }
  /** kube-state-metrics of one Job: made at a minute, failed or not, there as long as the Job is. */
  const failedJob = (name: string, start: number, owner = job) => [
    {
      series: `kube_job_owner${of({ job_name: name, owner_kind: 'CronJob', owner_name: owner, owner_is_controller: 'true' })}`,
      values: from(start, 1),
    },
    { series: `kube_job_status_start_time${of({ job_name: name })}`, values: from(start, start * 60) },
    { series: `kube_job_failed${of({ job_name: name, condition: 'true' })}`, values: from(start + 5, 1) },
    { series: `kube_job_failed${of({ job_name: name, condition: 'false' })}`, values: from(start + 5, 0) },
  ]
  /** The time of the last success, in steps: [minute it is seen from, minute of the success]. */
  const lastSuccess = (...steps: [number, number][]) => ({
    series: `kube_cronjob_status_last_successful_time${cronjob}`,
    values: steps
      .map(([at, success], index) => run(success * 60, (steps[index + 1]?.[0] ?? 3000) - at, index === 0 ? at : 0))
      .join(' '),
  })

  function run(value: number, minutes: number, gap: number): string {
    return `${gap > 0 ? `_x${gap} ` : ''}${value}x${minutes - 1}`
  }
  function from(minute: number, value: number): string {
    return run(value, 3000 - minute, minute)
  }

  type Series = { series: string; values: string }
  type Case = [
    name: string,
    series: Series[],
    expected: { at: string; alert: 'failed' | 'did-not-run' | 'missing'; fires: boolean }[],
  ]
  const cases: Case[] = [
    [
      'a success every day is silent',
      [created, lastSuccess([2, 2], [1442, 1442])],
      [
        { at: '10m', alert: 'failed', fires: false },
        { at: '23h', alert: 'did-not-run', fires: false },
        { at: '40h', alert: 'did-not-run', fires: false },
        { at: '40h', alert: 'missing', fires: false },
      ],
    ],
    [
      'a failed Job fires until it is gone',
      [created, lastSuccess([2, 2]), ...failedJob(`${job}-29000000`, 1440)],
      [
        { at: '1444m', alert: 'failed', fires: false },
        { at: '1446m', alert: 'failed', fires: true },
        { at: '30h', alert: 'failed', fires: true },
      ],
    ],
    [
      'a failed Job fires though there never was a success',
      [created, ...failedJob(`${job}-29000000`, 10)],
      [{ at: '16m', alert: 'failed', fires: true }],
    ],
    [
      'a later success, by hand or on schedule, silences a failed Job',
      [created, lastSuccess([2, 2], [1500, 1500]), ...failedJob(`${job}-29000000`, 1440)],
      [
        { at: '1499m', alert: 'failed', fires: true },
        { at: '1501m', alert: 'failed', fires: false },
      ],
    ],
    [
      'a Job that failed after the success fires',
      [created, lastSuccess([2, 2], [1442, 1442]), ...failedJob('by-hand', 1460)],
      [{ at: '1466m', alert: 'failed', fires: true }],
    ],
    [
      "another CronJob's failure is not ours, though its name begins with ours",
      [created, lastSuccess([2, 2]), ...failedJob(`${job}-2-29000000`, 10, `${job}-2`)],
      [{ at: '20m', alert: 'failed', fires: false }],
    ],
    [
      '26 hours without a success fire',
      [created, lastSuccess([2, 2])],
      [
        { at: '1562m', alert: 'did-not-run', fires: false },
        { at: '1563m', alert: 'did-not-run', fires: true },
      ],
    ],
    [
      '25 hours between two 06:30s, when summer time ends, are silent, even if the second takes 50 minutes',
      [created, lastSuccess([2, 2], [1550, 1550])],
      [
        { at: '1502m', alert: 'did-not-run', fires: false },
        { at: '1549m', alert: 'did-not-run', fires: false },
        { at: '1600m', alert: 'did-not-run', fires: false },
      ],
    ],
    [
      'a CronJob that never succeeded is given its first day, then fires',
      [created],
      [
        { at: '25h', alert: 'did-not-run', fires: false },
        { at: '1561m', alert: 'did-not-run', fires: true },
        { at: '1561m', alert: 'missing', fires: false },
      ],
    ],
    [
      'no metric at all fires after half an hour',
      [],
      [
        { at: '29m', alert: 'missing', fires: false },
        { at: '31m', alert: 'missing', fires: true },
      ],
    ],
  ]

  test.each(cases)('%s', (name, series, expected) => {
    const rules = join(folder, 'rules.json')
    const cases = join(folder, 'test.json')
    writeFileSync(rules, JSON.stringify(deployed().spec))
    // ALERTS is the series that Prometheus keeps of its alerts: whether one fires, without its sentences.
    const promql_expr_test = expected.map(({ at, alert, fires }) => ({
      expr: `count(ALERTS{alertname="${job}-${alert}", alertstate="firing"})`,
      eval_time: at,
      exp_samples: fires ? [{ value: 1 }] : [],
    }))
    const tests = [{ name, interval: '1m', input_series: series, promql_expr_test }]
    writeFileSync(cases, JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '1m', tests }))
    expect(promtoolSays('check', rules)).toBe('ok')
    expect(promtoolSays('test', cases)).toBe('ok')
  })

  test('the sentences name the Job and how long it has been', () => {
    const rules = join(folder, 'rules.json')
    writeFileSync(rules, JSON.stringify(deployed().spec))
    const [failed, late] = deployed().spec.groups[0]?.rules ?? []
    const cases = join(folder, 'test.json')
    const filled = (rule: Rule | undefined, values: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(rule?.annotations ?? {}).map(([key, text]) => [
          key,
          text.replace(/\{\{ (.*?) \}\}/g, (_, name: string) => values[name] ?? '?'),
        ]),
      )
    const alert = (at: string, rule: Rule | undefined, labels: Record<string, string>, values: Record<string, string>) => ({
      eval_time: at,
      alertname: rule?.alert,
      exp_alerts: [{ exp_labels: { ...rule?.labels, ...labels }, exp_annotations: filled(rule, values) }],
    })
    const tests = [
      {
        interval: '1m',
        input_series: [created, lastSuccess([2, 2]), ...failedJob('by-hand', 10)],
        alert_rule_test: [
          alert('20m', failed, { job_name: 'by-hand' }, { '$labels.job_name': 'by-hand' }),
          alert('1563m', late, { cronjob: job }, { '$value | humanizeDuration': '1d 2h 1m 0s' }),
        ],
      },
    ]
    writeFileSync(cases, JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '1m', tests }))
    expect(promtoolSays('test', cases)).toBe('ok')
  })

  function promtoolSays(what: 'check' | 'test', file: string): string {
    try {
      execFileSync(promtool, [what, 'rules', file], { encoding: 'utf8', stdio: 'pipe' })
      return 'ok'
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      return `${stdout}${stderr}`
    }
  }
})
