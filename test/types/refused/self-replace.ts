// expect: self() needs write: merge(): the rows of the target change by their key
import { bq, dataset, pipeline, replace, row, self, table } from 'nais-etl'

const Saldo = row({ konto: bq.int64(), saldo: bq.int64() }, { key: ['konto'] })

export default pipeline({
  schedule: '0 5 * * *',
  from: { nye: table(Saldo, 'a.b'), previous: self() },
  transform: ({ nye, previous }) => [...nye, ...previous],
  to: dataset('ut').table('saldo', Saldo),
  write: replace(),
})
