import { bq, dataset, pg, pipeline, postgres, replace, row } from 'nais-etl'
import * as z from 'zod'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'

/** What is read: ten columns of the common types. */
const Maaling = row(
  {
    id: bq.int64(),
    tekst: z.string(),
    oppdatert: bq.timestamp(),
    dato: z.iso.date(),
    belop: bq.numeric(),
    aktiv: z.boolean(),
    antall: z.int(),
    slag: z.enum(['soknad', 'vedtak', 'klage', 'anke']),
    merknad: z.string().nullable(),
    uid: z.guid(),
  },
  { key: ['id'] },
)

const schedule = '0 6 * * *'
const from = {
  maalinger: postgres(
    Maaling,
    'BENCH_DB',
    pg`SELECT id, tekst, oppdatert, dato, belop, aktiv, antall, slag, merknad, uid FROM maalinger`,
  ),
}

/** Copied as it is. */
export const bulk: NamedPipeline = {
  name: 'bulk',
  ...pipeline({ schedule, from, to: dataset('ut').table('bulk', Maaling), write: replace() }),
}

/** Through a function of one row. */
export const each: NamedPipeline = {
  name: 'each',
  ...pipeline({
    schedule,
    from,
    to: dataset('ut').table('each', Maaling),
    write: replace(),
    transform: { each: ({ maalinger }) => (maalinger.antall < 0 ? [] : [{ ...maalinger, antall: maalinger.antall + 1 }]) },
  }),
}

/** Makes the table with so many rows. */
export const fillSql = (rows: number) => `CREATE TYPE slag AS ENUM ('soknad', 'vedtak', 'klage', 'anke');
CREATE UNLOGGED TABLE maalinger (id bigint NOT NULL, tekst text NOT NULL, oppdatert timestamptz NOT NULL, dato date NOT NULL, belop numeric(12,2) NOT NULL,
  aktiv boolean NOT NULL, antall int NOT NULL, slag slag NOT NULL, merknad text, uid uuid NOT NULL);
INSERT INTO maalinger SELECT i, 'tekst nummer ' || i || ' æøå', timestamptz '2024-01-01 00:00:00+00' + i * interval '1.234567 s', date '2020-01-01' + (i % 2000)::int,
  (i % 1000000)::numeric / 100, i % 3 = 0, (i % 100000)::int, (ARRAY['soknad', 'vedtak', 'klage', 'anke'])[1 + i % 4]::slag,
  CASE WHEN i % 4 = 0 THEN 'merknad ' || i % 1000 END, md5(i::text)::uuid FROM generate_series(1::bigint, ${rows}) AS i;
VACUUM ANALYZE maalinger`
