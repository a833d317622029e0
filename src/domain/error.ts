/**
 * What can go wrong, each with its literal message (the platform groups by message), the exit code, and whether trying again can help.
 * `retry`: 'transient' the same request again · 'conflict' read the head, then publish again · 'no' somebody must act.
 */
export const kinds = {
  usage: { message: 'The command line is wrong', exit: 1, retry: 'no' },
  config: { message: 'The configuration is wrong', exit: 1, retry: 'no' },
  pipeline: { message: 'The pipeline file is wrong', exit: 1, retry: 'no' },
  fixture: { message: 'A fixture is wrong', exit: 1, retry: 'no' },
  notFound: { message: 'Something that the run needs does not exist', exit: 1, retry: 'no' },
  denied: { message: 'Access denied', exit: 1, retry: 'no' },
  schema: { message: 'The warehouse has another schema', exit: 1, retry: 'no' },
  row: { message: 'A row does not fit its schema', exit: 1, retry: 'no' },
  transform: { message: 'The transform failed', exit: 1, retry: 'no' },
  audit: { message: 'The audit refused the result', exit: 1, retry: 'no' },
  query: { message: 'BigQuery refused a statement', exit: 1, retry: 'no' },
  conflict: { message: 'Another publication was under way', exit: 1, retry: 'conflict' },
  unavailable: { message: 'The warehouse did not answer', exit: 1, retry: 'transient' },
  unknown: { message: 'It is not known whether the run published', exit: 1, retry: 'no' },
  stopped: { message: 'The run was stopped before it published', exit: 1, retry: 'no' },
  bug: { message: 'Unexpected failure', exit: 1, retry: 'no' },
} as const satisfies Record<string, { message: string; exit: number; retry: 'no' | 'transient' | 'conflict' }>

export type Kind = keyof typeof kinds

/** Where: outermost first in the sentence. Filled in by engine/step.ts, once, innermost first. */
export type Where = { readonly pipeline?: string; readonly step?: string; readonly at?: string }

/**
 * The one error of ours: where, what, why, what next. `problem` is a sentence without values of columns marked as personal data.
 * The cause's own text is never shown, since it can quote a row; its stack frames are.
 */
export class EtlError extends Error {
  readonly kind: Kind
  readonly problem: string
  readonly hint: string | undefined
  readonly where: Where
  constructor(kind: Kind, problem: string, options: { hint?: string | undefined; where?: Where; cause?: unknown } = {}) {
    const where = options.where ?? {}
    const place = [where.pipeline, where.step, where.at].filter(part => part !== undefined).join(' › ')
    super(`${place === '' ? '' : `${place}: `}${problem}${options.hint === undefined ? '' : ` Hint: ${options.hint}`}`, {
      cause: options.cause,
    })
    this.name = 'EtlError'
    this.kind = kind
    this.problem = problem
    this.hint = options.hint
    this.where = where
  }

  /** The same error, with the parts of `where` that it lacks. */
  within(where: Where): EtlError {
    const merged = { ...where, ...this.where }
    const error = new EtlError(this.kind, this.problem, { hint: this.hint, where: merged, cause: this.cause })
    if (this.stack !== undefined) error.stack = `${error.name}: ${error.message}\n${frames(this)}`
    return error
  }
}

/** The stack frames of an error without its text: the text of a stranger's error can hold a row. */
export function frames(error: Error): string {
  const stack = typeof error.stack === 'string' ? error.stack : ''
  const text = `${error.name}: ${error.message}`
  const start = stack.startsWith(`${text}\n`) ? 0 : -1
  // The text stands in front, and its own lines can look like frames. One that was changed afterwards can't be cut off: then only a line that
  // ends with a place in a file is a frame.
  const frame = start >= 0 ? /^\s+at / : /^ {4}at .*(?:(?:file:|node:|\/|[A-Za-z]:\\).*:\d+:\d+|<anonymous>)\)?$/
  return stack
    .slice(start >= 0 ? start + text.length : 0)
    .split('\n')
    .filter(line => frame.test(line))
    .join('\n')
}

/** The word of `known` nearest to `wanted` by edit distance, if it is near enough to be a slip. */
export function nearest(wanted: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map(word => ({ word, distance: distance(wanted.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= (wanted.length < 3 ? 1 : Math.max(2, Math.floor(wanted.length / 3)))
    ? best.word
    : undefined
}

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substituted))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
