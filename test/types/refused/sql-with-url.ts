import { dataset, pipeline, replace, row, sql, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ text: z.string() })
const Result = row({ text: z.url() })

// expect: a sql transform is checked in BigQuery only, and z.email() and z.url() have no equal there: use z.string().regex(…)
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b') },
  transform: sql`SELECT text FROM ${'seen'}`,
  to: dataset('tellinger').table('texts', Result),
  write: replace(),
})
