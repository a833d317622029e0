import { bq, dataset, merge, pg, pipeline, postgres, type Row, row } from 'nais-etl'
import * as z from 'zod'

/** A case as the team's database has it. */
const Sak = row(
  {
    sak_id: bq.int64().meta({ pii: 'indirect' }),
    status: z.enum(['OPPRETTET', 'UNDER_BEHANDLING', 'AVSLUTTET']),
    opprettet: bq.timestamp(),
    avsluttet: bq.timestamp().nullable(),
    oppdatert: bq.timestamp(),
  },
  { key: ['sak_id'] },
)

/** A case for statistics: how long it was open, in whole days; null while it is. */
const SakStatus = row(
  {
    sak_id: Sak.shape.sak_id,
    status: Sak.shape.status,
    dager_apen: z.int().nonnegative().nullable(),
    oppdatert: bq.timestamp(),
  },
  { key: ['sak_id'] },
)

export default pipeline({
  schedule: '*/30 6-18 * * 1-5',
  from: {
    sak: postgres(Sak, 'SAK_DB', pg`SELECT sak_id, status, opprettet, avsluttet, oppdatert FROM sak`).changedBy('oppdatert', {
      overlap: '15 min',
      deletes: 'compare-keys',
    }),
  },
  transform: { each: ({ sak }) => [statusOf(sak)] },
  to: dataset('saksstatistikk').table('sak_status', SakStatus),
  write: merge(),
})

function statusOf({ sak_id, status, opprettet, avsluttet, oppdatert }: Row<typeof Sak>): Row<typeof SakStatus> {
  return { sak_id, status, oppdatert, dager_apen: avsluttet === null ? null : wholeDays(opprettet, avsluttet) }
}

/** Whole days of 24 hours from one time to another. */
export function wholeDays(from: string, to: string): number {
  return Math.floor((Date.parse(to) - Date.parse(from)) / 86_400_000)
}
