import { bq, dataset, merge, partition, pipeline, replace, row, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createHead, createHistory, createRuns, createTarget } from '../../../src/adapters/bigquery/bootstrap.ts'
import { publishParameters, publishScript } from '../../../src/adapters/bigquery/publish.ts'
import type { Days } from '../../../src/domain/days.ts'
import { identity, named, publication, tablesIn } from './world.ts'

const AppsPerEnv = row(
  {
    dato: z.iso.date().meta({ description: "the day's date" }),
    env: z.enum(['dev', 'prod']),
    datacenter: z.enum(['on_prem', 'gcp']),
    antall_apper: z.int().positive(),
  },
  { key: ['dato', 'env', 'datacenter'] },
)
const target = dataset('apps_aggregated').table('apps_per_env', AppsPerEnv, { description: 'How many apps' })
const source = table(row({ dato: z.iso.date() }), 'a.b')
const byDate = named(
  pipeline({ schedule: '30 6 * * *', from: { source }, to: target, write: partition('dato'), transform: () => [] }),
)
const whole = named(
  pipeline({
    schedule: '30 6 * * *',
    from: { source },
    to: target,
    write: replace({ history: '400 days' }),
    transform: () => [],
  }),
)
const byDay = named(
  pipeline({
    schedule: '30 6 * * *',
    from: { source },
    to: dataset('apps_aggregated').table('apps_per_env', AppsPerEnv, { partitionBy: 'dato' }),
    write: merge(),
    transform: () => [],
  }),
)
const tables = tablesIn('apps_aggregated', 'apps_per_env')
const stage = {
  table: { project: 'test-project', dataset: 'apps_aggregated_etl', table: 'stage__apps_per_env__9f3c1a' },
  rows: 4,
  contentHash: 'hash',
}

describe('the publish script', () => {
  test('in replace mode, word for word', () => {
    expect(publishScript(publication(whole, tables, stage, {}))).toMatchInlineSnapshot(`
      "DECLARE outcome STRING DEFAULT 'lost';
      DECLARE before INT64;
      BEGIN TRANSACTION;

      SET before = (SELECT MAX(seq) FROM \`test-project.apps_aggregated_etl.head__apps_per_env\`);

      UPDATE \`test-project.apps_aggregated_etl.head__apps_per_env\`
         SET seq = seq + 1, version = @version, run = @run, attempt = @attempt,
             cursor = @cursor_to, schema_hash = @schema_hash, published_at = CURRENT_TIMESTAMP()
       WHERE NOT held AND version < @version AND run != @run;

      IF (SELECT COUNT(*) = 1 AND LOGICAL_AND(attempt = @attempt AND seq = before + 1) FROM \`test-project.apps_aggregated_etl.head__apps_per_env\`)
         AND NOT EXISTS (SELECT 1 FROM \`test-project.apps_aggregated_etl.runs\` WHERE event IN ('published', 'restored') AND target = @target AND run = @run) THEN
        TRUNCATE TABLE \`test-project.apps_aggregated.apps_per_env\`;
        INSERT INTO \`test-project.apps_aggregated.apps_per_env\` (\`dato\`, \`env\`, \`datacenter\`, \`antall_apper\`, version)
          SELECT \`dato\`, \`env\`, \`datacenter\`, \`antall_apper\`, @version FROM \`test-project.apps_aggregated_etl.stage__apps_per_env__9f3c1a\`;
        INSERT INTO \`test-project.apps_aggregated.apps_per_env__history\` (\`dato\`, \`env\`, \`datacenter\`, \`antall_apper\`, version, _op)
          SELECT \`dato\`, \`env\`, \`datacenter\`, \`antall_apper\`, @version, 'row' FROM \`test-project.apps_aggregated_etl.stage__apps_per_env__9f3c1a\`;
        INSERT INTO \`test-project.apps_aggregated_etl.runs\` (logged_at, event, pipeline, target, run, attempt, version, slot, base_seq, mode, scope,
                             cursor_from, cursor_to, rows_written, content_hash, code_sha, schema_hash, stage, job, trigger, message)
          VALUES (CURRENT_TIMESTAMP(), 'published', @pipeline, @target, @run, @attempt, @version, @slot, @base_seq, @mode, PARSE_JSON(@scope),
                  @cursor_from, @cursor_to, @rows, @content_hash, @code_sha, @schema_hash, @stage, @job, @trigger, @message);
        COMMIT TRANSACTION;
        SET outcome = 'published';
      ELSE
        ROLLBACK TRANSACTION;
      END IF;

      SELECT outcome, h.* FROM \`test-project.apps_aggregated_etl.head__apps_per_env\` AS h;"
    `)
  })

  test('in partition mode differs in the fence and the body only', () => {
    const replaced = publishScript(publication(whole, tables, stage, {})).split('\n')
    const partitioned = publishScript(
      publication(byDate, tables, stage, { scope: ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-23'] }),
    ).split('\n')
    expect(partitioned.filter(line => !replaced.includes(line))).toEqual([
      ' WHERE NOT held AND version < @version AND run != @run AND seq = @base_seq;',
      "  DELETE FROM `test-project.apps_aggregated.apps_per_env` WHERE (`dato` BETWEEN DATE '2026-11-18' AND DATE '2026-11-20' OR `dato` = DATE '2026-11-23');",
    ])
    expect(replaced.filter(line => !partitioned.includes(line))).toEqual([
      ' WHERE NOT held AND version < @version AND run != @run;',
      '  TRUNCATE TABLE `test-project.apps_aggregated.apps_per_env`;',
    ])
  })

  test('a merge looks for its keys on the days that were staged, where the day is part of the key', () => {
    const of = (days?: Days) => publishScript(publication(byDay, tables, { ...stage, ...(days && { days }) }, {}))
    const on = (script: string) => script.split('\n').find(line => line.startsWith('  ON '))
    expect(on(of())).toBe('  ON t.`dato` = s.`dato` AND t.`env` = s.`env` AND t.`datacenter` = s.`datacenter`')
    expect(on(of({ column: 'dato', first: '2026-11-18', last: '2026-11-20' }))).toBe(
      "  ON t.`dato` = s.`dato` AND t.`env` = s.`env` AND t.`datacenter` = s.`datacenter` AND t.`dato` BETWEEN DATE '2026-11-18' AND DATE '2026-11-20'",
    )
  })

  test('has a typed parameter for each name that it uses, and no more', () => {
    const value = publication(byDate, tables, stage, {
      scope: ['2026-11-18'],
      identity: identity('run-1', '9f3c1a'),
      baseSeq: 2n ** 62n,
    })
    const used = new Set([...publishScript(value).matchAll(/@(\w+)/g)].map(match => match[1]))
    const parameters = publishParameters(value, 'etl-publish-x-1')
    expect(new Set(parameters.map(parameter => parameter.name))).toEqual(used)
    expect(
      Object.fromEntries(
        parameters.map(({ name, parameterType, parameterValue }) => [name, [parameterType.type, parameterValue.value]]),
      ),
    ).toMatchObject({
      version: ['TIMESTAMP', '2024-02-01T05:30:00Z'],
      base_seq: ['INT64', '4611686018427387904'],
      scope: ['STRING', '["2026-11-18"]'],
      cursor_to: ['STRING', undefined],
      job: ['STRING', 'etl-publish-x-1'],
    })
  })

  test('turns what is staged as text back into its type, at every depth', () => {
    const Deep = row({
      id: z.int(),
      big: bq.bignumeric(),
      json: bq.json().nullable(),
      bigs: z.array(bq.bignumeric()),
      inner: z.object({ name: z.string(), json: bq.json() }).nullable(),
      list: z.array(z.object({ bigs: z.array(bq.bignumeric()) })),
    })
    const deep = named(
      pipeline({
        schedule: '30 6 * * *',
        from: { source },
        to: dataset('d1').table('t', Deep),
        write: replace(),
        transform: () => [],
      }),
    )
    const line = publishScript(publication(deep, tables, stage, {}))
      .split('\n')
      .find(text => text.includes('SELECT `id`'))
    expect(line?.trim()).toBe(
      'SELECT `id`, CAST(`big` AS BIGNUMERIC), PARSE_JSON(`json`), ' +
        'ARRAY(SELECT CAST(e0 AS BIGNUMERIC) FROM UNNEST(`bigs`) AS e0 WITH OFFSET AS o0 ORDER BY o0), ' +
        'IF(`inner` IS NULL, NULL, STRUCT(`inner`.`name` AS `name`, PARSE_JSON(`inner`.`json`) AS `json`)), ' +
        'ARRAY(SELECT IF(e0 IS NULL, NULL, STRUCT(ARRAY(SELECT CAST(e1 AS BIGNUMERIC) FROM UNNEST(e0.`bigs`) AS e1 WITH OFFSET AS o1 ORDER BY o1) AS `bigs`)) FROM UNNEST(`list`) AS e0 WITH OFFSET AS o0 ORDER BY o0), ' +
        '@version FROM `test-project.apps_aggregated_etl.stage__apps_per_env__9f3c1a`;',
    )
  })
})

describe('the tables of a target', () => {
  test('in partition mode', () => {
    expect(
      [createRuns(tables), createHead(tables), createTarget(byDate, tables), createHistory(byDate, tables)].join('\n\n'),
    ).toMatchInlineSnapshot(`
      "CREATE TABLE IF NOT EXISTS \`test-project.apps_aggregated_etl.runs\` (
        logged_at TIMESTAMP NOT NULL, event STRING NOT NULL,
        pipeline STRING NOT NULL, target STRING, run STRING NOT NULL, attempt STRING NOT NULL,
        version TIMESTAMP NOT NULL, slot TIMESTAMP, base_seq INT64, mode STRING, scope JSON,
        cursor_from STRING, cursor_to STRING, stage STRING, job STRING,
        rows_read INT64, rows_written INT64, rows_rejected INT64, content_hash STRING, bytes_billed INT64,
        code_sha STRING, image STRING, schema_hash STRING, trigger STRING, message STRING, hint STRING
      ) PARTITION BY DATE(logged_at) CLUSTER BY target, event;

      CREATE TABLE IF NOT EXISTS \`test-project.apps_aggregated_etl.head__apps_per_env\` (
        seq INT64 NOT NULL, version TIMESTAMP NOT NULL, run STRING NOT NULL, attempt STRING NOT NULL,
        cursor STRING, schema_hash STRING, held BOOL NOT NULL, published_at TIMESTAMP
      ) AS SELECT 0, TIMESTAMP '1970-01-01 00:00:00+00', '', '', CAST(NULL AS STRING), CAST(NULL AS STRING), FALSE, CAST(NULL AS TIMESTAMP);

      CREATE TABLE IF NOT EXISTS \`test-project.apps_aggregated.apps_per_env\` (
        \`dato\` DATE NOT NULL OPTIONS (description = 'the day\\'s date'),
        \`env\` STRING NOT NULL,
        \`datacenter\` STRING NOT NULL,
        \`antall_apper\` INT64 NOT NULL,
        \`version\` TIMESTAMP NOT NULL
      ) PARTITION BY \`dato\` CLUSTER BY \`env\`, \`datacenter\` OPTIONS (description = 'How many apps');

      CREATE TABLE IF NOT EXISTS \`test-project.apps_aggregated.apps_per_env__history\` (
        \`dato\` DATE NOT NULL OPTIONS (description = 'the day\\'s date'),
        \`env\` STRING NOT NULL,
        \`datacenter\` STRING NOT NULL,
        \`antall_apper\` INT64 NOT NULL,
        \`version\` TIMESTAMP NOT NULL,
        \`_op\` STRING NOT NULL
      ) PARTITION BY TIMESTAMP_TRUNC(version, DAY) CLUSTER BY \`dato\`
      OPTIONS (partition_expiration_days = 90, require_partition_filter = TRUE);"
    `)
  })

  test('in replace mode have no partitions, and the history its own length', () => {
    expect([createTarget(whole, tables), createHistory(whole, tables)].join('\n\n')).toMatchInlineSnapshot(`
      "CREATE TABLE IF NOT EXISTS \`test-project.apps_aggregated.apps_per_env\` (
        \`dato\` DATE NOT NULL OPTIONS (description = 'the day\\'s date'),
        \`env\` STRING NOT NULL,
        \`datacenter\` STRING NOT NULL,
        \`antall_apper\` INT64 NOT NULL,
        \`version\` TIMESTAMP NOT NULL
      ) CLUSTER BY \`dato\`, \`env\`, \`datacenter\` OPTIONS (description = 'How many apps');

      CREATE TABLE IF NOT EXISTS \`test-project.apps_aggregated.apps_per_env__history\` (
        \`dato\` DATE NOT NULL OPTIONS (description = 'the day\\'s date'),
        \`env\` STRING NOT NULL,
        \`datacenter\` STRING NOT NULL,
        \`antall_apper\` INT64 NOT NULL,
        \`version\` TIMESTAMP NOT NULL,
        \`_op\` STRING NOT NULL
      ) PARTITION BY TIMESTAMP_TRUNC(version, DAY) CLUSTER BY \`dato\`, \`env\`, \`datacenter\`
      OPTIONS (partition_expiration_days = 400, require_partition_filter = TRUE);"
    `)
  })
})
