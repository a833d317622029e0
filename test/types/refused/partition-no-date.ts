import { dataset, partition, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ dato: z.string(), cluster: z.string() })
const Counted = row({ dato: z.string(), antall: z.int() })

// expect: the partition column must be a date: z.iso.date()
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b') },
  transform: () => [],
  to: dataset('tellinger').table('antall', Counted),
  write: partition('dato'),
})
