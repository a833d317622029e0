import type { QueryParameter } from '../../../../src/local/contract.ts'
import { parameter } from './bench.ts'

/** The bootstrap script of the publish protocol, word for word (protocol, "Tables"). */
export const bootstrap = `
CREATE TABLE IF NOT EXISTS \`P.D_etl.runs\` (
  logged_at TIMESTAMP NOT NULL, event STRING NOT NULL,   -- claimed staged audited publishing published superseded failed held released restored
  pipeline STRING NOT NULL, target STRING, run STRING NOT NULL, attempt STRING NOT NULL,
  version TIMESTAMP NOT NULL, slot TIMESTAMP, base_seq INT64, mode STRING, scope JSON,
  cursor_from STRING, cursor_to STRING, stage STRING, job STRING,
  rows_read INT64, rows_written INT64, rows_rejected INT64, content_hash STRING, bytes_billed INT64,
  code_sha STRING, image STRING, schema_hash STRING, trigger STRING, message STRING, hint STRING
) PARTITION BY DATE(logged_at) CLUSTER BY pipeline, run OPTIONS (partition_expiration_days = 800);

CREATE TABLE IF NOT EXISTS \`P.D_etl.head__apps_per_env\` (      -- CTAS: the table appears together with its one row
  seq INT64 NOT NULL, version TIMESTAMP NOT NULL, run STRING NOT NULL, attempt STRING NOT NULL,
  cursor STRING, schema_hash STRING, held BOOL NOT NULL, published_at TIMESTAMP
) AS SELECT 0, TIMESTAMP '1970-01-01 00:00:00+00', '', '', CAST(NULL AS STRING), CAST(NULL AS STRING), FALSE, CAST(NULL AS TIMESTAMP);

CREATE TABLE IF NOT EXISTS \`P.D.apps_per_env\` (
  dato DATE NOT NULL OPTIONS (description = '…'), env STRING NOT NULL, datacenter STRING NOT NULL, antall_apper INT64 NOT NULL,
  version TIMESTAMP NOT NULL
) PARTITION BY dato CLUSTER BY env, datacenter OPTIONS (description = '…');

CREATE TABLE IF NOT EXISTS \`P.D.apps_per_env__history\` (
  dato DATE NOT NULL, env STRING NOT NULL, datacenter STRING NOT NULL, antall_apper INT64 NOT NULL,
  version TIMESTAMP NOT NULL, _op STRING NOT NULL                -- row | upsert | delete
) PARTITION BY TIMESTAMP_TRUNC(version, DAY) CLUSTER BY dato
OPTIONS (partition_expiration_days = 90, require_partition_filter = TRUE);
`

/** The script that makes an attempt's stage with three rows. */
export const stage = `
CREATE TABLE \`P.D_etl.stage__apps_per_env__9f3c1a\` (dato DATE NOT NULL, env STRING NOT NULL, datacenter STRING NOT NULL, antall_apper INT64 NOT NULL)
  OPTIONS (expiration_timestamp = TIMESTAMP '2999-01-01 00:00:00+00');
INSERT INTO \`P.D_etl.stage__apps_per_env__9f3c1a\` (dato, env, datacenter, antall_apper)
  VALUES (DATE '2026-11-19', 'prod', 'gcp', 2), (DATE '2026-11-19', 'dev', 'on_prem', 4), (DATE '2026-11-20', 'prod', 'on_prem', 1);
`

/** The publish script of a mode, word for word (protocol, "The scripts"). */
export function publish(mode: 'replace' | 'partition'): string {
  const fence = mode === 'replace' ? '' : ' AND seq = @base_seq'
  const body =
    mode === 'replace'
      ? 'TRUNCATE TABLE `P.D.apps_per_env`;'
      : "DELETE FROM `P.D.apps_per_env` WHERE dato IN (DATE '2026-11-19', DATE '2026-11-20');"
  return `
DECLARE outcome STRING DEFAULT 'lost';
BEGIN TRANSACTION;

UPDATE \`P.D_etl.head__apps_per_env\`                              -- lock + fence + compare-and-set, first statement
   SET seq = seq + 1, version = @version, run = @run, attempt = @attempt,
       cursor = @cursor, schema_hash = @schema_hash, published_at = CURRENT_TIMESTAMP()
 WHERE NOT held AND version < @version AND run != @run${fence};          -- FENCE: see table below

IF (SELECT COUNT(*) = 1 AND LOGICAL_AND(attempt = @attempt) FROM \`P.D_etl.head__apps_per_env\`) THEN   -- own write, read back
  ${body}                                                     -- BODY: differs by mode
  INSERT INTO \`P.D.apps_per_env\` (dato, env, datacenter, antall_apper, version)
    SELECT dato, env, datacenter, antall_apper, @version FROM \`P.D_etl.stage__apps_per_env__9f3c1a\`;
  INSERT INTO \`P.D.apps_per_env__history\` (dato, env, datacenter, antall_apper, version, _op)
    SELECT dato, env, datacenter, antall_apper, @version, 'row' FROM \`P.D_etl.stage__apps_per_env__9f3c1a\`;
  INSERT INTO \`P.D_etl.runs\` (logged_at, event, pipeline, target, run, attempt, version, slot, base_seq, mode, scope,
                              cursor_from, cursor_to, rows_written, content_hash, code_sha, schema_hash)
    VALUES (CURRENT_TIMESTAMP(), 'published', @pipeline, @target, @run, @attempt, @version, @slot, @base_seq, @mode, PARSE_JSON(@scope),
            @cursor_from, @cursor_to, @rows, @content_hash, @code_sha, @schema_hash);
  COMMIT TRANSACTION;
  SET outcome = 'published';
ELSE
  ROLLBACK TRANSACTION;
END IF;

SELECT outcome, h.* FROM \`P.D_etl.head__apps_per_env\` AS h;      -- the job's result: published | lost, and who holds the head
`
}

/** The parameters of a publish. */
export function parameters(run: string, version: string, baseSeq = 0): QueryParameter[] {
  return [
    parameter('version', 'TIMESTAMP', version),
    parameter('run', 'STRING', run),
    parameter('attempt', 'STRING', `${run}-a`),
    parameter('cursor', 'STRING', null),
    parameter('schema_hash', 'STRING', 'h'),
    parameter('pipeline', 'STRING', 'apps-per-env'),
    parameter('target', 'STRING', 'P.D.apps_per_env'),
    parameter('slot', 'TIMESTAMP', '2026-11-20T05:30:00Z'),
    parameter('base_seq', 'INT64', String(baseSeq)),
    parameter('mode', 'STRING', 'replace'),
    parameter('scope', 'STRING', '["2026-11-19"]'),
    parameter('cursor_from', 'STRING', null),
    parameter('cursor_to', 'STRING', null),
    parameter('rows', 'INT64', '3'),
    parameter('content_hash', 'STRING', 'abc'),
    parameter('code_sha', 'STRING', 'def'),
  ]
}
