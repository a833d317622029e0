import { EtlError } from '../../domain/error.ts'

/** What Postgres or the way to it says, as an error of ours. A message can quote a row and a `detail` does: only such texts pass as hold names alone. */
export function toEtlError(error: unknown, database: string): EtlError {
  if (error instanceof EtlError) return error
  const { code, message = '' } = error as { code?: string; message?: string }
  const text = message.split('\n')[0] ?? ''
  const failed = (kind: ConstructorParameters<typeof EtlError>[0], problem: string, hint?: string) =>
    new EtlError(kind, `Postgres ${database}: ${problem}`, { hint, cause: error })
  switch (code) {
    case '28P01':
    case '28000':
      return failed(
        'denied',
        'the user or the password was refused.',
        `look at ${database}_USERNAME and ${database}_PASSWORD, or ${database}_URL`,
      )
    case '3D000':
      return failed('notFound', `there is no such database: ${text}.`, `look at ${database}_DATABASE or ${database}_URL`)
    case '42501':
      return failed('denied', `${text}.`, grantOf(text))
    case '42P01':
      return failed('notFound', `${text}.`, 'is the schema missing in front of the name, or is this another database?')
    case '42703':
      return failed('schema', `${text}.`, 'was the column renamed or dropped? Change the query')
    case '57014':
      return /timeout/.test(text)
        ? failed(
            'unavailable',
            'it ended a statement that took too long.',
            'an index on the columns of the query helps, or smaller slices',
          )
        : failed('unavailable', 'somebody cancelled the query.', 'run it again, or ask whoever did')
    case '40001':
      return failed(
        'unavailable',
        'the replica stopped the query, which was in the way of what it replays.',
        'read the primary, or let the replica wait longer (max_standby_streaming_delay)',
      )
    case '53200':
      return failed('unavailable', 'it has too little memory for the query.', 'smaller slices, or a smaller work_mem')
    case '55P03':
      return failed('unavailable', 'somebody holds a lock on what is read.', '`SELECT * FROM pg_locks` says who; run it again')
    case '25006':
      return failed('pipeline', 'the query writes, and a source only reads.', 'write a SELECT')
    case '53300':
      return failed('unavailable', 'it has no connection left.', 'who holds them? `SELECT * FROM pg_stat_activity` says')
  }
  if (code !== undefined && /^(58|XX)/.test(code))
    return failed(
      'unavailable',
      `the server reports a fault of its own (SQLSTATE ${code}).`,
      'its log says more; ask whoever runs it',
    )
  if (isPassing(code, text))
    return failed('unavailable', gone(code), `is it up, and may the job reach it (${database}_HOST, outbound rules)?`)
  if (/certificate|TLS|SSL|self-signed/i.test(text) || /CERT|TLS|SSL/.test(code ?? ''))
    return failed('denied', 'the TLS connection was refused.', `look at ${database}_SSLMODE, _SSLROOTCERT, _SSLCERT and _SSLKEY`)
  if (code?.startsWith('42') || code === '0A000') return failed('pipeline', `it refused the query: ${text}.`, 'try it in psql')
  if (code?.startsWith('22'))
    return failed(
      'row',
      `a value made the query fail (${conditions[code] ?? `SQLSTATE ${code}`}); it is not shown.`,
      'find the row in psql',
    )
  return failed('unavailable', `it failed (SQLSTATE ${code ?? 'unknown'}).`)
}

/** May the same connection be tried again? */
export function isTransient(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string }
  return code === '53300' || isPassing(code, message)
}

const network: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
])

/** Errors of the socket, of a server that goes or comes (class 08, 57P0x), and of a standby that had to cancel (40001). */
function isPassing(code: string | undefined, text: string): boolean {
  if (code !== undefined) return network.has(code) || /^(08...|57P0.|40001|40P01|25P03|58...|XX...)$/.test(code)
  return /Connection terminated|timeout expired|timeout exceeded|not queryable|server closed/i.test(text)
}

function gone(code: string | undefined): string {
  if (code === 'ECONNREFUSED') return 'nobody answers at its address.'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its host has no address.'
  if (code === '57P03') return 'it is starting up.'
  return 'the connection is gone.'
}

function grantOf(text: string): string {
  const name = /permission denied for (?:table|view|materialized view|relation|sequence) (\S+)/.exec(text)?.[1]
  if (name !== undefined) return `GRANT SELECT ON ${name} TO the job's user (it owns no table of another app)`
  const schema = /permission denied for schema (\S+)/.exec(text)?.[1]
  return schema === undefined ? 'its user lacks a right' : `GRANT USAGE ON SCHEMA ${schema} TO the job's user`
}

/** PostgreSQL: Appendix A. */
const conditions: Readonly<Record<string, string>> = {
  '22003': 'a number out of range',
  '22007': 'no date or time',
  '22008': 'a date or time out of range',
  '22012': 'a division by zero',
  '22P02': 'a text that is no value of the type it is cast to',
  '22021': 'bytes that are no text of the encoding',
}
