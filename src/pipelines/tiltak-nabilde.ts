import { bq, dataset, pg, pipeline, postgres, type Row, replace, row } from 'nais-etl'
import * as z from 'zod'

/** A measure that the office runs. */
const Tiltak = row({ tiltak_id: z.uuid(), tiltakstype: z.string().min(1) })

/** A person's part in one. */
const Deltakelse = row({
  tiltak_id: z.uuid(),
  person_id: bq.int64().meta({ pii: 'indirect' }),
  status: z.enum(['VENTER', 'DELTAR', 'SLUTTET', 'AVBRUTT']),
  fra: z.iso.date(),
  til: z.iso.date().nullable(),
})

/** One row a person and measure: is the person in it, of what type, for how many days (both ends count; null while nobody knows the end). */
const Nabilde = row(
  {
    person_id: Deltakelse.shape.person_id,
    tiltak_id: z.uuid(),
    tiltakstype: z.string(),
    deltar: z.boolean(),
    fra: z.iso.date(),
    til: z.iso.date().nullable(),
    varighet_dager: z.int().positive().nullable(),
  },
  { key: ['person_id', 'tiltak_id'] },
)

export default pipeline({
  schedule: '15 5 * * *',
  // Both are read at one moment of the database.
  from: {
    tiltak: postgres(Tiltak, 'TILTAK_DB', pg`SELECT id AS tiltak_id, tiltakstype::text AS tiltakstype FROM tiltak`),
    deltakelser: postgres(
      Deltakelse,
      'TILTAK_DB',
      pg`SELECT tiltak_id, person_id, status::text AS status, fra, til FROM deltakelse WHERE fra IS NOT NULL`,
    ),
  },
  transform: ({ tiltak, deltakelser }) => nabilde(tiltak, deltakelser),
  to: dataset('tiltak').table('nabilde', Nabilde),
  write: replace({ history: '400 days' }),
})

/** The newest part of each person in each measure. A part in a measure that is not there is a broken promise of the database's and stops the run. */
export function nabilde(
  tiltak: readonly Row<typeof Tiltak>[],
  deltakelser: readonly Row<typeof Deltakelse>[],
): Row<typeof Nabilde>[] {
  const types = new Map(tiltak.map(({ tiltak_id, tiltakstype }) => [tiltak_id, tiltakstype]))
  const newest = new Map<string, Row<typeof Deltakelse>>()
  for (const deltakelse of deltakelser) {
    const id = `${deltakelse.person_id} ${deltakelse.tiltak_id}`
    const before = newest.get(id)
    if (before === undefined || before.fra < deltakelse.fra) newest.set(id, deltakelse)
  }
  return [...newest.values()].map(({ person_id, tiltak_id, status, fra, til }) => {
    const tiltakstype = types.get(tiltak_id)
    if (tiltakstype === undefined) throw new Error(`tiltak ${tiltak_id} is not there`)
    return {
      person_id,
      tiltak_id,
      tiltakstype,
      deltar: status === 'DELTAR',
      fra,
      til,
      varighet_dager: til === null ? null : days(fra, til),
    }
  })
}

function days(fra: string, til: string): number {
  return (Date.parse(til) - Date.parse(fra)) / 86_400_000 + 1
}
