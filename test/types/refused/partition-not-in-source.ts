import { dataset, partition, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'

const Seen = row({ dato: z.iso.date(), cluster: z.string() })
const Team = row({ team: z.string() })
const Counted = row({ dato: z.iso.date(), antall: z.int() })

// expect: the partition column must be a column of every source too: it says which slice a row belongs to
export default pipeline({
  schedule: '0 5 * * *',
  from: { seen: table(Seen, 'a.b'), teams: table(Team, 'a.c') },
  transform: () => [],
  to: dataset('tellinger').table('antall', Counted),
  write: partition('dato'),
})
