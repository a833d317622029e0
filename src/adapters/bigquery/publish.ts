import { EtlError } from '../../domain/error.ts'
import { datesCondition, literal } from '../../domain/literal.ts'
import type { Publication } from '../../domain/run.ts'
import { tableName } from '../../domain/source.ts'
import { fromStage } from './staged.ts'

/** A named query parameter as the REST API takes it. */
export type Parameter = {
  readonly name: string
  readonly parameterType: { readonly type: string }
  readonly parameterValue: { readonly value?: string }
}

/**
 * The one script that changes a reader's world. Its UPDATE locks, fences and counts in one; its own write, read back, decides: the attempt
 * alone would not do, for the same attempt's earlier script may have published and left its name, while this UPDATE matched nothing;
 * the ledger is asked too, for the head forgets a run that a later one followed, whose pod may be tried again;
 * there is no handler, so that a failure anywhere rolls all of it back (BigQuery: Multi-statement transactions).
 */
export function publishScript(publication: Publication): string {
  const { tables, columns } = publication
  const [head, target, history, runs, stage] = [
    tables.head,
    tables.target,
    tables.history,
    tables.runs,
    publication.stage.table,
  ].map(literal.table)
  const names = columns.map(column => literal.name(column.name)).join(', ')
  const values = columns.map(fromStage).join(', ')
  return `DECLARE outcome STRING DEFAULT 'lost';
DECLARE before INT64;
BEGIN TRANSACTION;

SET before = (SELECT MAX(seq) FROM ${head});

UPDATE ${head}
   SET seq = seq + 1, version = @version, run = @run, attempt = @attempt,
       cursor = @cursor, schema_hash = @schema_hash, published_at = CURRENT_TIMESTAMP()
 WHERE ${fence(publication)};

IF (SELECT COUNT(*) = 1 AND LOGICAL_AND(attempt = @attempt AND seq = before + 1) FROM ${head})
   AND NOT EXISTS (SELECT 1 FROM ${runs} WHERE event = 'published' AND target = @target AND run = @run) THEN
  ${emptied(publication)};
  INSERT INTO ${target} (${names}, version)
    SELECT ${values}, @version FROM ${stage};
  INSERT INTO ${history} (${names}, version, _op)
    SELECT ${values}, @version, 'row' FROM ${stage};
  INSERT INTO ${runs} (logged_at, event, pipeline, target, run, attempt, version, slot, base_seq, mode, scope,
                       cursor_from, cursor_to, rows_written, content_hash, code_sha, schema_hash, stage, job, trigger)
    VALUES (CURRENT_TIMESTAMP(), 'published', @pipeline, @target, @run, @attempt, @version, @slot, @base_seq, @mode, PARSE_JSON(@scope),
            @cursor_from, @cursor_to, @rows, @content_hash, @code_sha, @schema_hash, @stage, @job, @trigger);
  COMMIT TRANSACTION;
  SET outcome = 'published';
ELSE
  ROLLBACK TRANSACTION;
END IF;

SELECT outcome, h.* FROM ${head} AS h;`
}

/** The values of the script's parameters; `job` is the id under which it is submitted. */
export function publishParameters(publication: Publication, job: string): readonly Parameter[] {
  const { identity, stage } = publication
  return [
    parameter('version', 'TIMESTAMP', publication.version),
    parameter('run', 'STRING', identity.run),
    parameter('attempt', 'STRING', identity.attempt),
    parameter('cursor', 'STRING', null),
    parameter('schema_hash', 'STRING', publication.schemaHash),
    parameter('pipeline', 'STRING', publication.pipeline),
    parameter('target', 'STRING', tableName(publication.tables.target)),
    parameter('slot', 'TIMESTAMP', identity.slot),
    parameter('base_seq', 'INT64', String(publication.baseSeq)),
    parameter('mode', 'STRING', publication.write.mode),
    parameter('scope', 'STRING', publication.scope === null ? null : JSON.stringify(publication.scope)),
    parameter('cursor_from', 'STRING', null),
    parameter('cursor_to', 'STRING', null),
    parameter('rows', 'INT64', String(stage.rows)),
    parameter('content_hash', 'STRING', stage.contentHash),
    parameter('code_sha', 'STRING', publication.codeSha),
    parameter('stage', 'STRING', tableName(stage.table)),
    parameter('job', 'STRING', job),
    parameter('trigger', 'STRING', identity.trigger),
  ]
}

/** One typed parameter; null is NULL. */
export function parameter(name: string, type: 'STRING' | 'INT64' | 'TIMESTAMP', value: string | null): Parameter {
  return { name, parameterType: { type }, parameterValue: value === null ? {} : { value } }
}

/** Where the new content depends on what was published before, nobody may have published since. */
function fence(publication: Publication): string {
  const always = 'NOT held AND version < @version AND run != @run'
  return publication.write.mode === 'replace' ? always : `${always} AND seq = @base_seq`
}

/** TRUNCATE bills nothing, and neither does a DELETE of whole partitions by literals (BigQuery: TRUNCATE TABLE; Using DML with partitioned tables). */
function emptied({ write, scope, tables: { target } }: Publication): string {
  if (write.mode === 'replace') return `TRUNCATE TABLE ${literal.table(target)}`
  if (scope === null) throw new EtlError('bug', 'a publication in partition mode has no scope.')
  return `DELETE FROM ${literal.from(target, [write.column])} WHERE ${datesCondition(write.column, scope)}`
}
