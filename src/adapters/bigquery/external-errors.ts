import { EtlError } from '../../domain/error.ts'
import { Failure } from './errors.ts'
import { type ConnectionRef, connectionName } from './external-text.ts'

/**
 * A failure of EXTERNAL_QUERY as a sentence about the connection or the Postgres behind it. `planned`: nothing was executed, so that the database's words
 * can't quote a row. `local`: no service was asked. Whatever is none of these stays as it is.
 */
export function externalError(
  error: unknown,
  ref: ConnectionRef,
  what: string,
  { planned = false, local = false }: { readonly planned?: boolean; readonly local?: boolean } = {},
): unknown {
  if (!(error instanceof EtlError) || !(error.cause instanceof Failure)) return error
  const { text } = error.cause
  const connection = `connection ${connectionName(ref)}`
  const make = (kind: EtlError['kind'], problem: string, hint?: string) =>
    new EtlError(kind, problem, { hint, cause: error.cause })
  if (/Not found: Connection/i.test(text))
    return make(
      'notFound',
      `${what}: the ${connection} does not exist, or this service account may not use it.`,
      local ? setUpLocal : setUp,
    )
  if (/Access Denied/i.test(text) && /connection/i.test(text))
    return make('denied', `${what}: this service account may not use the ${connection}.`, setUp)
  if (/(Connect to|Failed to connect to) PostgreSQL/i.test(text))
    return make(
      'unavailable',
      `${what}: the Postgres behind the ${connection} does not answer${reasonOf(text)}.`,
      'Nothing is half-published. Is the instance running, and are the user and password of the connection right? `etl doctor` asks again; the first query after a pause may take more than a minute',
    )
  const refused = /permission denied for (\w+ )?"?([\w.]+)"?/.exec(text)
  if (refused !== null)
    return make(
      'denied',
      `${what}: the connection's Postgres user may not read ${refused[2]}.`,
      `let the database's owner run: GRANT SELECT ON ${refused[2]} TO the user of the connection (and USAGE on its schema)`,
    )
  const outOfRange = /A value of the column (\w+) is out of the range of (\w+)/.exec(text)
  if (outOfRange !== null)
    return make(
      'row',
      `${what}: a value of the column ${outOfRange[1]} has no place in ${outOfRange[2]}.`,
      'infinity, years before Christ, 24:00:00, NaN and too large numbers have none: leave such rows out in the query, or cast the column to text',
    )
  if (/statement timeout|conflict with recovery/i.test(text))
    return make(
      'unavailable',
      `${what}: the Postgres behind the ${connection} stopped the query.`,
      'run again, or ask for less in one run',
    )
  if (planned) return plannedError(text, what, make) ?? error
  return error
}

/** Whether the service refused the inner SQL for being a parameter: its own words about arguments, none that Postgres said. */
export function refusesParameter(error: unknown): boolean {
  if (!(error instanceof EtlError) || !(error.cause instanceof Failure)) return false
  const { text } = error.cause
  return /EXTERNAL_QUERY|table-valued function/i.test(text) && /parameter|literal|constant/i.test(text) && !/ERROR:/.test(text)
}

const setUpLocal =
  'a local BigQuery knows a connection while it runs, once it was told of it: `etl run NAME --local` does, from fixtures; docs/local-bigquery.md has the call'
const setUp = '`etl federated setup NAME` shows how it is made, and who must be allowed to use it'

function plannedError(
  text: string,
  what: string,
  make: (kind: EtlError['kind'], problem: string, hint?: string) => EtlError,
): EtlError | undefined {
  const twice = /column reference "([^"]+)" is ambiguous/.exec(text)
  if (twice !== null)
    return make('schema', `${what}: the query gives the column ${twice[1]} more than once.`, 'give each its own name: … AS name')
  const missing = /column q\."?([^"\s]+?)"? does not exist/.exec(text)
  if (missing !== null)
    return make(
      'schema',
      `${what}: the query gives no column ${missing[1]}.`,
      `name it: … AS ${missing[1]}. Every expression needs a name, and Postgres makes names without quotes lower case`,
    )
  const said = /ERROR:\s+([^\n]+)/.exec(text)?.[1]
  return said === undefined
    ? undefined
    : make('query', `${what}: Postgres says: ${said.replace(/\.?$/, '.')}`, 'correct the pg`…` of the source')
}

/** The words about the network or the password; they quote no row, for none was read. */
function reasonOf(text: string): string {
  const reason = /failed: ([^\n]+)/.exec(text)?.[1] ?? /Error: ([^\n]+)/.exec(text)?.[1]
  return reason === undefined ? '' : ` (${reason.trim().replace(/\.$/, '').slice(0, 200)})`
}
