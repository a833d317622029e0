import { literal } from '../../domain/literal.ts'
import type { Publication } from '../../domain/run.ts'
import { tableName } from '../../domain/source.ts'
import { body } from './body.ts'

/** A named query parameter as the REST API takes it. */
export type Parameter = {
  readonly name: string
  readonly parameterType: { readonly type: string }
  readonly parameterValue: { readonly value?: string }
}

/**
 * The one script that changes a reader's world, for one target or several: all of them or none. Its UPDATE locks, fences and counts in one; its own
 * write, read back, decides: the attempt alone would not do, for the same attempt's earlier script may have published and left its name, while this
 * UPDATE matched nothing; the ledger is asked too, for the head forgets a run that a later one followed, whose pod may be tried again. Heads are taken
 * in the order of their names, so that no two publications of the same targets wait for each other. There is no handler, so that a failure anywhere
 * rolls all of it back (BigQuery: Multi-statement transactions).
 */
export function publishScript(publications: readonly Publication[]): string {
  const parts = inOrder(publications)
  const isWon = parts.map(part => `${ownWrite(part)}\n   AND ${notYet(part)}`).join('\n   AND ')
  return `DECLARE outcome STRING DEFAULT 'lost';
${parts.map(part => `DECLARE ${part.before} INT64;`).join('\n')}
BEGIN TRANSACTION;

${parts.map(lock).join('\n\n')}

IF ${isWon} THEN
${parts.map(part => `${body(part.publication)}\n${entry(part)}`).join('\n')}
  COMMIT TRANSACTION;
  SET outcome = 'published';
ELSE
  ROLLBACK TRANSACTION;
END IF;

${answer(parts)};`
}

/** The values of the script's parameters; `job` is the id under which it is submitted. */
export function publishParameters(publications: readonly Publication[], job: string): readonly Parameter[] {
  const parts = inOrder(publications)
  return [...parts.slice(0, 1).flatMap(({ publication }) => common(publication, job)), ...parts.flatMap(own)]
}

/** One typed parameter; null is NULL. */
export function parameter(name: string, type: 'STRING' | 'INT64' | 'TIMESTAMP', value: string | null): Parameter {
  return { name, parameterType: { type }, parameterValue: value === null ? {} : { value } }
}

/** One target of the script: `at` ends the names of its parameters. */
type Part = { readonly publication: Publication; readonly head: string; readonly at: string; readonly before: string }

function inOrder(publications: readonly Publication[]): readonly Part[] {
  return [...publications]
    .sort((a, b) => (tableName(a.tables.head) < tableName(b.tables.head) ? -1 : 1))
    .map((publication, index) => {
      const at = index === 0 ? '' : `_${index + 1}`
      return { publication, head: literal.table(publication.tables.head), at, before: `before${at}` }
    })
}

function lock({ publication, head, at, before }: Part): string {
  const held = publication.restores === null ? '' : ', held = TRUE'
  return `SET ${before} = (SELECT MAX(seq) FROM ${head});

UPDATE ${head}
   SET seq = seq + 1, version = @version, run = @run, attempt = @attempt,
       cursor = @cursor_to${at}, schema_hash = @schema_hash${at}, published_at = CURRENT_TIMESTAMP()${held}
 WHERE ${fence(publication, at)};`
}

/** Where the new content depends on what was published before, nobody may have published since; to bring back is meant for held targets too. */
function fence({ restores, write }: Publication, at: string): string {
  const always = `${restores === null ? 'NOT held AND ' : ''}version < @version AND run != @run`
  return write.mode === 'replace' && restores === null ? always : `${always} AND seq = @base_seq${at}`
}

function ownWrite({ head, before }: Part): string {
  return `(SELECT COUNT(*) = 1 AND LOGICAL_AND(attempt = @attempt AND seq = ${before} + 1) FROM ${head})`
}

function notYet({ publication, at }: Part): string {
  const runs = literal.table(publication.tables.runs)
  return `NOT EXISTS (SELECT 1 FROM ${runs} WHERE event IN ('published', 'restored') AND target = @target${at} AND run = @run)`
}

function entry({ publication, at }: Part): string {
  const event = publication.restores === null ? 'published' : 'restored'
  return `  INSERT INTO ${literal.table(publication.tables.runs)} (logged_at, event, pipeline, target, run, attempt, version, slot, base_seq, mode, scope,
                       cursor_from, cursor_to, rows_written, content_hash, code_sha, schema_hash, stage, job, trigger, message)
    VALUES (CURRENT_TIMESTAMP(), '${event}', @pipeline, @target${at}, @run, @attempt, @version, @slot, @base_seq${at}, @mode${at}, PARSE_JSON(@scope${at}),
            @cursor_from${at}, @cursor_to${at}, @rows${at}, @content_hash${at}, @code_sha, @schema_hash${at}, @stage${at}, @job, @trigger, @message${at});`
}

function answer(parts: readonly Part[]): string {
  const [only] = parts
  if (parts.length === 1) return `SELECT outcome, h.* FROM ${only?.head} AS h`
  return parts.map(({ head, at }) => `SELECT outcome, @target${at} AS target, h.* FROM ${head} AS h`).join('\nUNION ALL ')
}

function common(publication: Publication, job: string): readonly Parameter[] {
  const { identity } = publication
  return [
    parameter('version', 'TIMESTAMP', publication.version),
    parameter('run', 'STRING', identity.run),
    parameter('attempt', 'STRING', identity.attempt),
    parameter('pipeline', 'STRING', publication.pipeline),
    parameter('slot', 'TIMESTAMP', identity.slot),
    parameter('code_sha', 'STRING', publication.codeSha),
    parameter('job', 'STRING', job),
    parameter('trigger', 'STRING', identity.trigger),
  ]
}

function own({ publication, at }: Part): readonly Parameter[] {
  const { stage, cursor, scope, baseline } = publication
  const scopeText = scope !== null ? JSON.stringify(scope) : baseline ? '{"baseline":true}' : null
  return [
    parameter(`target${at}`, 'STRING', tableName(publication.tables.target)),
    parameter(`base_seq${at}`, 'INT64', String(publication.baseSeq)),
    parameter(`mode${at}`, 'STRING', publication.write.mode),
    parameter(`scope${at}`, 'STRING', scopeText),
    parameter(`cursor_from${at}`, 'STRING', cursor.from),
    parameter(`cursor_to${at}`, 'STRING', cursor.to),
    parameter(`rows${at}`, 'INT64', String(stage.rows)),
    parameter(`content_hash${at}`, 'STRING', stage.contentHash),
    parameter(`schema_hash${at}`, 'STRING', publication.schemaHash),
    parameter(`stage${at}`, 'STRING', tableName(stage.table)),
    parameter(`message${at}`, 'STRING', publication.restores?.version ?? null),
  ]
}
