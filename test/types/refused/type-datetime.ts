import { row } from 'nais-etl'
import * as z from 'zod'

// expect: this zod type is no BigQuery column: use z.string, z.enum, z.int, z.number, z.boolean, z.iso.date, z.iso.time, bq.*, z.object or z.array of them (docs/authoring.md has the table)
export const Seen = row({ field: z.iso.datetime() })
