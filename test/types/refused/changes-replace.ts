// expect: a source that is read by its changes needs write: merge()
import { bq, dataset, pg, pipeline, postgres, replace, row } from 'nais-etl'

const Sak = row({ sak_id: bq.int64(), oppdatert: bq.timestamp() }, { key: ['sak_id'] })

export default pipeline({
  schedule: '0 5 * * *',
  from: { sak: postgres(Sak, 'SAK_DB', pg`SELECT sak_id, oppdatert FROM sak`).changedBy('oppdatert', { deletes: 'none' }) },
  to: dataset('ut').table('sak', Sak),
  write: replace(),
})
