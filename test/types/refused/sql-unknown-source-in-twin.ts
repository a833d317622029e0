import { dataset, pipeline, replace, row, sql, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ text: z.string() })

// expect: "sen"
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b') },
  twin: sql`SELECT text FROM ${'sen'}`,
  to: dataset('tellinger').table('texts', Seen),
  write: replace(),
})
