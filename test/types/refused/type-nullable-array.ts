import { row } from 'nais-etl'
import * as z from 'zod'

// expect: BigQuery has no nullable array: leave out .nullable(); an array without elements is []
export const Seen = row({ field: z.array(z.string()).nullable() })
