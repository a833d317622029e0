import { dataset, pipeline, replace, row, sql, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ text: z.string() })

// expect: "seen"
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b') },
  to: dataset('tellinger').table('texts', Seen),
  write: replace(),
  audits: { 'none is empty': sql`SELECT text FROM ${'seen'} WHERE text = ''` },
})
