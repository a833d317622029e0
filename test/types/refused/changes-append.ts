// expect: some rows are read again, and find themselves by their key
import { append, bq, dataset, external, pg, pipeline, row } from 'nais-etl'

const Sak = row({ sak_id: bq.int64(), oppdatert: bq.timestamp() })

export default pipeline({
  schedule: '0 5 * * *',
  from: {
    sak: external(Sak, 'sak', pg`SELECT sak_id, oppdatert FROM sak`).changedBy('oppdatert', { overlap: '2 h', deletes: 'none' }),
  },
  to: dataset('ut').table('sak', Sak),
  write: append(),
})
