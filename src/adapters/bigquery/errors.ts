import { sizeText } from '../../domain/cost.ts'
import { EtlError, type Kind } from '../../domain/error.ts'

/**
 * What BigQuery, or the way to it, said; not yet an error of ours. `text` can quote a row: it never leaves this file unchecked, and whoever
 * prints the object does not see it.
 */
export class Failure extends Error {
  readonly status: number | undefined
  readonly reason: string
  readonly #text: string
  /** The same request may succeed a little later. */
  readonly passing: boolean
  constructor(status: number | undefined, reason: string, text: string, passing = isPassing(status, reason)) {
    super(`BigQuery: ${reason}`)
    this.name = 'Failure'
    this.status = status
    this.reason = reason
    this.#text = text
    this.passing = passing
  }

  get text(): string {
    return this.#text
  }
}

/** An error of a job, as jobs.get tells it. */
export type JobError = { readonly reason?: string; readonly message?: string; readonly location?: string }

/**
 * Any error of the transport or the API as a `Failure`; an EtlError and an abort are thrown on. `local`: what was asked is an emulator, of which
 * we know that it is this very address; one that nobody listens at is no passing failure there.
 */
export function failureOf(error: unknown, local = false): Failure {
  if (error instanceof Failure) return error
  if (error instanceof EtlError) throw error
  if (!(error instanceof Error) || error.name === 'AbortError') throw error
  const { response, code, cause } = error as Error & {
    response?: { status?: number; data?: unknown }
    code?: unknown
    cause?: { code?: unknown }
  }
  if (response?.status !== undefined) {
    const body = bodyOf(response.data)?.error
    const first = body?.errors?.[0]
    return new Failure(response.status, first?.reason ?? `http ${response.status}`, first?.message ?? body?.message ?? '')
  }
  if (/default credentials|invalid_grant|invalid_rapt/.test(error.message)) return new Failure(401, 'noCredentials', '')
  const reason = String([cause?.code, code].find(value => typeof value === 'string') ?? error.name)
  // google-auth-library: the file that the variable names. Its text quotes the path, and may quote what stands in the file.
  if (error.message.includes('GOOGLE_APPLICATION_CREDENTIALS')) return new Failure(401, unreadable, reason)
  return reason === refusedConnection && local ? new Failure(undefined, reason, '', false) : new Failure(undefined, reason, '')
}

type Body = { readonly error?: { readonly message?: string; readonly errors?: readonly JobError[] } }

/** What was answered; of a call that wanted a text, as text. */
function bodyOf(data: unknown): Body | undefined {
  try {
    return typeof data === 'string' ? JSON.parse(data) : (data as Body | undefined)
  } catch {
    return undefined
  }
}

const refusedConnection = 'ECONNREFUSED'
const unreadable = 'unreadableCredentials'

/** The error of a finished job. */
export function jobFailure(error: JobError): Failure {
  return new Failure(200, error.reason ?? 'unknown', error.message ?? '')
}

/**
 * The failure of a publication that another one aborted. BigQuery has no code for it, only the text: "Transaction is aborted due to
 * concurrent update against table …" and "Could not serialize access to table … due to concurrent update".
 */
export function isConflict(failure: Failure): boolean {
  return /concurrent update|could not serialize/i.test(failure.text)
}

/** Where a failure happened, for its sentence. */
export type Context = {
  readonly what: string
  readonly address: string
  readonly job?: string
  readonly console?: string | undefined
}

/** A failure as an error of ours: what, why, the job, what next. The service's text passes only where it can't quote a row. */
export function toEtlError(failure: Failure, context: Context): EtlError {
  const kind = kindOf(failure)
  const job = context.job === undefined ? '' : ` (job ${context.job})`
  const isAnswered = failure.status !== undefined && failure.reason !== 'noCredentials' && failure.reason !== unreadable
  // Several first calls go out at once: which of them got no answer first says nothing, but for the id of a job.
  const where = isAnswered || job !== '' ? `${context.what}${job}: ` : ''
  const make = (why: string, hint?: string) => {
    const hints = [hint, isAnswered ? context.console : undefined].filter(part => part !== undefined)
    return new EtlError(kind, `${where}${why}`, {
      hint: hints.length === 0 ? undefined : hints.join(' '),
      cause: failure,
    })
  }
  if (kind === 'unavailable') {
    return failure.status === undefined
      ? make(
          `BigQuery at ${context.address} does not answer (${failure.reason}).`,
          failure.passing
            ? 'Nothing is half-published. Check the address and the network, then run again; a local BigQuery is started with `etl local`.'
            : 'Nothing is half-published. Nobody listens there: start a local BigQuery (`npm run etl -- local`), or correct BIGQUERY_EMULATOR_HOST if that names it, then run again.',
        )
      : make(
          `BigQuery at ${context.address} could not do it just now (${failure.reason}), also after several tries.`,
          'Nothing is half-published: run again later.',
        )
  }
  if (failure.reason === 'noCredentials') {
    return make(
      'there are no Google credentials.',
      'on a laptop: `gcloud auth application-default login`, or use the local BigQuery (`etl local`); on nais they come by themselves.',
    )
  }
  if (failure.reason === unreadable) {
    return make(
      `the file of Google credentials that GOOGLE_APPLICATION_CREDENTIALS names can't be read (${failure.text}).`,
      'correct the variable; or unset it, and on a laptop `gcloud auth application-default login`. On nais nobody sets it.',
    )
  }
  if (kind === 'denied')
    return make(
      shown(failure) ?? 'access denied.',
      'on nais the rights come from naisjob.yaml (spec.gcp) and from the owner of the source; deploy, or ask them.',
    )
  const billed =
    failure.reason === 'bytesBilledLimitExceeded' ? /limit for bytes billed: (\d+)\. (\d+) or/.exec(failure.text) : null
  if (billed !== null)
    return make(
      `it would read ${sizeText(Number(billed[2]))}, and ${sizeText(Number(billed[1]))} are allowed. Nothing was read, and nothing is billed.`,
      'read less (fewer columns, fewer slices of a partitioned table), or allow more at the source: table(Row, name, { maxBytes: … }).',
    )
  if (kind === 'conflict') return make('another publication changed the table at the same time, and this one was rolled back.')
  return make(
    shown(failure) ?? `it was refused (${failure.reason}). The service's text is left out here, since it can quote a row.`,
  )
}

function kindOf(failure: Failure): Kind {
  if (isConflict(failure)) return 'conflict'
  if (failure.passing || (failure.status === undefined && failure.reason === refusedConnection)) return 'unavailable'
  if (failure.reason === 'notFound' || failure.status === 404) return 'notFound'
  if (failure.reason === 'accessDenied' || failure.status === 401 || failure.status === 403) return 'denied'
  return 'query'
}

/** BigQuery: Error messages. `backendError` and its like come with 5xx, the rate limits with 403. */
function isPassing(status: number | undefined, reason: string): boolean {
  const reasons = [
    'backendError',
    'internalError',
    'rateLimitExceeded',
    'userRateLimitExceeded',
    'jobBackendError',
    'jobInternalError',
    'jobRateLimitExceeded',
    'tableUnavailable',
  ]
  if (reasons.includes(reason)) return true
  if (status === undefined) return !/CERT|INVALID_URL|ERR_SSL|UNSUPPORTED_PROTOCOL|TypeError|SyntaxError/i.test(reason)
  return status === 408 || status === 429 || (status >= 500 && status !== 501)
}

/**
 * Texts that name tables, columns, types and positions only. Anything else ("Bad int64 value: …", "Invalid date: …", "Error while reading
 * data …") can quote a value of a row.
 */
const harmless = [
  /^Syntax error: (Expected|Unexpected) (keyword|end of|"[(),;.=@]"|identifier)/,
  /^Unrecognized name: [\w.`]+/,
  /^(Name|Column|Field name|Function|Type|Table-valued function) [\w.`]+ (not found|does not exist|is ambiguous)/,
  /^(Type|Function|Table-valued function|Column|Procedure) not found: [\w.`:-]+/,
  /^Not found: (Dataset|Table|Project|Job|Routine) /,
  /^Invalid (snapshot time|time travel timestamp) \d+ for table /,
  /^Already Exists: (Dataset|Table|Job) /,
  /^Access Denied: /,
  /^No matching signature for /,
  /^Query column \d+ has type /,
  /^Value has type \w+ which cannot be inserted into column/,
  /^Inserted row has wrong column count/,
  /^Table "?[\w.:`-]+"? must be qualified with a dataset/,
  /^Required field [\w.]+ cannot be null/,
  /^(Cannot|Can't) add .*column/,
  /^Provided Schema does not match Table /,
]

/** The text, if it can't quote a row; the first line only. */
function shown(failure: Failure): string | undefined {
  const text = failure.text.split('\n')[0] ?? ''
  // Only the local server says notImplemented: what it can't do, in its own words.
  const passes = failure.reason === 'notImplemented' || harmless.some(pattern => pattern.test(text))
  return passes ? ending(text) : undefined
}

function ending(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
