import { dataset, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ dato: z.iso.date(), cluster: z.string() })
const Counted = row({ dato: z.iso.date(), antall: z.int() })

// expect: transform may be left out only where the source row has every column of the target row
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b') },
  to: dataset('tellinger').table('antall', Counted),
  write: replace(),
})
