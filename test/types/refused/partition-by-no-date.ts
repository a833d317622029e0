import { append, dataset, pipeline, row, table } from 'nais-etl'
import * as z from 'zod'

const Sak = row({ id: z.int(), dato: z.iso.date() })

// expect: Type '"id"' is not assignable to type '"dato"'
const to = dataset('saker').table('sak', Sak, { partitionBy: 'id' })
export default pipeline({ schedule: '0 5 * * *', from: { saker: table(Sak, 'a.b') }, to, write: append() })
