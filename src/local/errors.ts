import { BigQueryError, reasons } from './contract.ts'

/** The HTTP code and body of an error, as Google's APIs shape it. What isn't a BigQueryError is a defect of this server, and says so. */
export function errorAnswer(thrown: unknown): { readonly status: number; readonly body: object } {
  const error = asBigQueryError(thrown)
  // A job that was cancelled has the reason `stopped`; asking for its rows is a bad request.
  const status = error.reason === 'stopped' ? 400 : reasons[error.reason]
  const { reason, message, location } = error
  const detail = { message, domain: 'global', reason, ...(location === undefined ? {} : { location, locationType: 'other' }) }
  return { status, body: { error: { code: status, message, errors: [detail], status: statusNames[status] ?? 'UNKNOWN' } } }
}

/** A job's ErrorProto. */
export function errorProto(thrown: unknown): { reason: string; message: string; location?: string } {
  const { reason, message, location } = asBigQueryError(thrown)
  return { reason, message, ...(location === undefined ? {} : { location }) }
}

export function asBigQueryError(thrown: unknown): BigQueryError {
  if (thrown instanceof BigQueryError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new BigQueryError('internalError', `The local BigQuery met an error of its own: ${message}`)
}

const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  412: 'FAILED_PRECONDITION',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
}
