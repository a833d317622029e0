import { bq, dataset, env, external, pg, pipeline, replace, row, sql } from 'nais-etl'
import * as z from 'zod'

/** One data product of the marketplace. */
const Dataprodukt = row(
  {
    id: z.uuid(),
    name: z.string(),
    group: z.string().nullable(),
    pii: z.enum(['sensitive', 'anonymised', 'none']),
    created: bq.timestamp(),
    last_modified: bq.timestamp(),
    type: z.string().nullable(),
  },
  { key: ['id'] },
)

/** What data products there are, each day: every version can be read for 400 days (`etl read dataprodukter --version 2024-01-31`). */
export default pipeline({
  schedule: '0 5 * * *', // Europe/Oslo
  from: {
    // EXTERNAL_QUERY takes neither uuid nor enums: they are cast.
    produkter: external(
      Dataprodukt,
      env({ dev: 'nada-dev', prod: 'nada' }),
      pg`SELECT id::text AS id, name, "group", pii::text AS pii, created, last_modified, "type"::text AS type FROM dataproducts`,
    ),
  },
  // Never leaves BigQuery.
  transform: sql`
    SELECT id, name, \`group\`, pii, created, last_modified, type
    FROM ${'produkter'}
    WHERE name NOT LIKE 'test%'`,
  to: dataset('nada').table('dataprodukter', Dataprodukt),
  write: replace({ history: '400 days' }),
})
