import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Failure, failureOf, isConflict, jobFailure, toEtlError } from '../../../src/adapters/bigquery/errors.ts'
import { EtlError } from '../../../src/domain/error.ts'

const context = {
  what: 'publishing p.d.t',
  address: 'https://bigquery.googleapis.com',
  job: 'etl-publish-d-t-9f3c1a-1',
  console: 'https://console.cloud.google.com/x',
}
const etlError = (reason: string, message: string, status = 200) => toEtlError(new Failure(status, reason, message), context)

describe('a conflict', () => {
  test.each([
    'Transaction is aborted due to concurrent update against table p:d.head__t. Transaction ID: 0a1b',
    'Could not serialize access to table p:d.t due to concurrent update',
  ])('is told by its text: %s', text => {
    expect(isConflict(jobFailure({ reason: 'invalidQuery', message: text }))).toBe(true)
    expect(etlError('invalidQuery', text).kind).toBe('conflict')
  })

  test('is nothing else', () => {
    expect(isConflict(jobFailure({ reason: 'invalidQuery', message: 'Table p:d.t was updated' }))).toBe(false)
  })
})

describe('the kind of a failure', () => {
  test.each([
    ['notFound', 'Not found: Table p:d.t was not found in location EU', 404, 'notFound'],
    ['accessDenied', 'Access Denied: Table p:d.t: User does not have permission', 403, 'denied'],
    ['noCredentials', '', 401, 'denied'],
    ['rateLimitExceeded', 'Exceeded rate limits', 403, 'unavailable'],
    ['backendError', 'Error encountered during execution. Retrying may solve the problem.', 200, 'unavailable'],
    ['http 502', '<html>', 502, 'unavailable'],
    ['notImplemented', "The local BigQuery can't query views", 501, 'query'],
    ['invalidQuery', 'Syntax error: Unexpected keyword WHERE at [1:8]', 400, 'query'],
  ])('%s is told by reason and status', (reason, message, status, kind) => {
    expect(etlError(reason, message, status).kind).toBe(kind)
  })

  test('of no answer is the address and what to do', () => {
    const cut = Object.assign(new Error('request to http://x failed, reason: connect ECONNREFUSED 10.0.0.1'), {
      code: 'ECONNREFUSED',
    })
    const error = toEtlError(failureOf(cut), { what: 'a question', address: 'http://127.0.0.1:1' })
    expect(error).toMatchObject({
      kind: 'unavailable',
      problem: 'BigQuery at http://127.0.0.1:1 does not answer (ECONNREFUSED).',
    })
    expect(error.hint).toContain('run again')
  })

  test('of a wrong certificate is not tried again', () => {
    expect(failureOf(Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })).passing).toBe(false)
  })

  test('that is ours already, or an abort, is thrown on', () => {
    expect(() => failureOf(new EtlError('row', 'x'))).toThrow(EtlError)
    expect(() => failureOf(new DOMException('stop', 'AbortError'))).toThrow('stop')
  })
})

describe("the service's text", () => {
  test.each([
    ['Unrecognized name: clustr; Did you mean cluster? at [3:8]'],
    ['Syntax error: Unexpected keyword WHERE at [1:8]'],
    ['Not found: Table p:d.t was not found in location europe-north1'],
    ['Query column 2 has type INT64 which cannot be inserted into column env, which has type STRING at [2:3]'],
    ['No matching signature for function UPPER for argument types: INT64. Supported signature: UPPER(STRING) at [1:8]'],
    ['Required field dato cannot be null'],
  ])('passes where it names tables, columns and types: %s', text => {
    expect(etlError('invalidQuery', text, 400).problem).toContain(text)
  })

  test.each([
    ['Bad int64 value: 01017012345'],
    ["Invalid date: '01017012345'"],
    ['Could not cast literal "01017012345" to type DATE at [1:20]'],
    ['Invalid NUMERIC value: 01017012345'],
    ['Error while reading data, error message: Could not parse 01017012345 as INT64 for field fnr'],
    ['Failed to parse input string "01017012345"'],
    ['Scalar subquery produced more than one element: 01017012345'],
    ['UPDATE/MERGE must match at most one source row for each target row: 01017012345'],
    ['Syntax error: Unclosed string literal "01017012345'],
    ['Bad rows\nNot found: Table 01017012345'],
    ['anything new that quotes 01017012345'],
  ])('is left out where it can quote a row: %s', text => {
    for (const [reason, status] of [
      ['invalidQuery', 400],
      ['invalid', 200],
      ['stopped', 200],
    ] as const) {
      const error = etlError(reason, text, status)
      expect(`${error.message} ${error.stack} ${inspect(error)} ${JSON.stringify(error)}`).not.toContain('01017012345')
      expect(error.problem).toContain(`publishing p.d.t (job ${context.job}): `)
      expect(error.hint).toContain(context.console)
    }
  })
})
