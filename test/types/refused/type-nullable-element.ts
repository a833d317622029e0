import { row } from 'nais-etl'
import * as z from 'zod'

// expect: BigQuery stores no NULL in an array: leave out .nullable() on the element
export const Seen = row({ field: z.array(z.string().nullable()) })
