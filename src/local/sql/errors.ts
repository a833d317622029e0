import { BigQueryError } from '../contract.ts'
import { isConflict } from '../duck.ts'
import { beyondCast } from './lower/cast.ts'

/**
 * Any error of a statement as the service answers it: DuckDB's errors about values become query errors, without the text that DuckDB was given;
 * an interrupted statement is a stopped job. Errors that no statement can cause stay as they are.
 */
export function asServiceError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof BigQueryError) return error
  if (signal.aborted) return new BigQueryError('stopped', 'Job execution was cancelled: User requested cancellation')
  if (!(error instanceof Error)) return error
  const message = error.message.split('\n')[0] ?? ''
  if (isConflict(error))
    return new BigQueryError('invalidQuery', 'Could not serialize access to a table due to concurrent update', 'query')
  if (message.includes(beyondCast)) {
    return new BigQueryError(
      'notImplemented',
      `Not here: ${beyondCast}, nor in a transaction. Write the numbers plainly, or try this on BigQuery itself.`,
      'query',
    )
  }
  if (/More than one row returned by a subquery/.test(message))
    return new BigQueryError('invalidQuery', 'Scalar subquery produced more than one element', 'query')
  if (/^Out of Memory Error/.test(message)) {
    return new BigQueryError(
      'backendError',
      'Resources exceeded during query execution: the local BigQuery ran out of its memory limit. Sort or group fewer rows, or give it more memory.',
      'query',
    )
  }
  const raised = /^Invalid Input Error: (.*)$/.exec(message)
  if (raised) return new BigQueryError('invalidQuery', raised[1] ?? message, 'query')
  if (/^Out of Range Error: Overflow in .*INT64/.test(message) || /INT128 with value .* destination type INT64/.test(message)) {
    return new BigQueryError('invalidQuery', 'int64 overflow', 'query')
  }
  if (/^Out of Range Error|^Conversion Error: Type (DECIMAL|INT128|HUGEINT)/.test(message))
    return new BigQueryError('invalidQuery', 'numeric overflow', 'query')
  if (/^(Conversion|Out of Range) Error/.test(message)) return new BigQueryError('invalidQuery', message, 'query')
  return error
}
