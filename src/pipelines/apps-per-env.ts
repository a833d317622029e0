import { dataset, partition, pipeline, type Row, row, sql, table } from 'nais-etl'
import { frame } from 'nais-etl/danfo'
import * as z from 'zod'

/** One app seen in one cluster on one date. */
const App = row({ dato: z.iso.date(), cluster: z.string() })

/** How many apps ran in each environment and datacenter on one date. */
const AppsPerEnv = row(
  {
    dato: z.iso.date(),
    env: z.enum(['dev', 'prod']),
    datacenter: z.enum(['on_prem', 'gcp']),
    antall_apper: z.int().positive(),
  },
  { key: ['dato', 'env', 'datacenter'] },
)

export default pipeline({
  schedule: '30 6 * * *', // Europe/Oslo
  from: { apps: table(App, 'nais-prod-b6f2.dataproduct_apps.unique') },
  transform: ({ apps }) => countApps(apps),
  twin: sql`
    SELECT dato, IF(cluster LIKE '%prod%', 'prod', 'dev') AS env, IF(cluster LIKE '%gcp%', 'gcp', 'on_prem') AS datacenter, COUNT(*) AS antall_apper
    FROM ${'apps'}
    GROUP BY dato, env, datacenter`,
  to: dataset('apps_aggregated').table('apps_per_env', AppsPerEnv),
  write: partition('dato', { recompute: 2 }),
})

/** Counts rows: 'prod' in the cluster's name is prod, 'gcp' is gcp, the rest dev and on_prem. */
export function countApps(apps: readonly Row<typeof App>[]): Row<typeof AppsPerEnv>[] {
  return frame(apps)
    .with('env', a => (a.cluster.includes('prod') ? 'prod' : 'dev'))
    .with('datacenter', a => (a.cluster.includes('gcp') ? 'gcp' : 'on_prem'))
    .groupby('dato', 'env', 'datacenter')
    .count('antall_apper')
    .rows()
}
