// expect: changedBy takes a column of the row
import { bq, pg, postgres, row } from 'nais-etl'

const Sak = row({ sak_id: bq.int64(), oppdatert: bq.timestamp() })

export const sak = postgres(Sak, 'SAK_DB', pg`SELECT sak_id, oppdatert FROM sak`).changedBy('endret', { deletes: 'none' })
