import { dataset, merge, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'

const Sak = row({ id: z.int(), slettet: z.boolean() })

// expect: merge needs a key in the target row: row({ … }, { key: [ … ] }) says which rows are the same
export default pipeline({
  schedule: '0 5 * * *',
  from: { saker: table(Sak, 'a.b') },
  to: dataset('saker').table('sak', Sak),
  write: merge(),
})
