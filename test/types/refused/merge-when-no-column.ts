import { dataset, merge, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'

const Sak = row({ id: z.int(), slettet: z.boolean() }, { key: ['id'] })

// expect: deletes: { when } names a column of the target row
export default pipeline({
  schedule: '0 5 * * *',
  from: { saker: table(Sak, 'a.b') },
  to: dataset('saker').table('sak', Sak),
  write: merge({ deletes: { when: 'borte' } }),
})
