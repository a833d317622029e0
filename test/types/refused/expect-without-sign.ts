import { dataset, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ text: z.string() })

// expect: Type '"20 %"' is not assignable to type
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b') },
  to: dataset('tellinger').table('texts', Seen),
  write: replace(),
  expect: { rows: '20 %' },
})
