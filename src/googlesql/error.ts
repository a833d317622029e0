/**
 * What Google's parser, analyser or evaluator said. `kind` invalid: the statement is wrong (a syntax error, an unknown column); failed: it went wrong
 * with these rows (division by zero); unable: this evaluator can't do it, although BigQuery may; tooLarge: the request is over the evaluator's limit.
 */
export class GoogleSqlError extends Error {
  readonly kind: 'invalid' | 'failed' | 'unable' | 'tooLarge'
  constructor(kind: GoogleSqlError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** The evaluator's own limit for a request: all tables of a query together, in bytes. */
export const requestLimit = 4 * 1024 * 1024
