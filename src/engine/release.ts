import { EtlError } from '../domain/error.ts'
import { literal } from '../domain/literal.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { tableName } from '../domain/source.ts'
import type { Ports } from '../ports/index.ts'
import { tablesOf } from './plan.ts'
import type { RunRequest, Settings } from './settings.ts'

/**
 * Ends the hold that a rollback put on a target: the next run publishes again.
 * @returns the version that stands.
 * @throws EtlError `usage` where it is not held.
 */
export async function release(
  pipeline: NamedPipeline,
  { user, attempt }: RunRequest,
  { warehouse }: Pick<Ports, 'warehouse'>,
  settings: Settings,
): Promise<string> {
  const tables = tablesOf(pipeline, settings)
  const [head, runs] = [literal.table(tables.head), literal.table(tables.runs)]
  const text = literal.string
  const { rows } = await warehouse.execute(
    `etl-release-${tables.target.table}`,
    `DECLARE was BOOL;
BEGIN TRANSACTION;
SET was = (SELECT LOGICAL_OR(held) FROM ${head});
IF was THEN
  UPDATE ${head} SET held = FALSE WHERE held;
  INSERT INTO ${runs} (logged_at, event, pipeline, target, run, attempt, version, mode, code_sha, trigger)
    SELECT CURRENT_TIMESTAMP(), 'released', ${text(pipeline.name)}, ${text(tableName(tables.target))}, ${text(`release-${user}-${attempt}`)},
           ${text(attempt)}, version, ${text(pipeline.write.mode)}, ${text(settings.codeSha)}, 'local' FROM ${head};
END IF;
COMMIT TRANSACTION;
SELECT was, version FROM ${head};`,
    `releasing ${tableName(tables.target)}`,
  )
  const [found] = rows
  if (found?.was === true) return String(found.version)
  throw new EtlError('usage', `${tableName(tables.target)} is not held.`, {
    hint: 'only a rollback holds a target; the next run publishes as usual',
  })
}
