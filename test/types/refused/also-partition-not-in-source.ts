import { dataset, partition, pipeline, replace, row, table } from 'nais-etl'
import * as z from 'zod'

const Sak = row({ id: z.int() })
const Daily = row({ dato: z.iso.date(), id: z.int() })

// expect: the partition column must be a column of every source too: it says which slice a row belongs to
export default pipeline({
  schedule: '0 5 * * *',
  from: { saker: table(Sak, 'a.b') },
  to: dataset('saker').table('sak', Sak),
  write: replace(),
}).and({ to: dataset('saker').table('daglig', Daily), write: partition('dato'), transform: () => [] })
