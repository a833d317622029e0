import { row } from 'nais-etl'
import * as z from 'zod'

// expect: BigQuery has no array in an array: put a z.object between them
export const Seen = row({ field: z.array(z.array(z.string())) })
