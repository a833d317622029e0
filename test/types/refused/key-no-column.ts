import { row } from 'nais-etl'
import * as z from 'zod'

// expect: a key column must be a column of the row
export const Seen = row({ dato: z.iso.date() }, { key: ['date'] })
