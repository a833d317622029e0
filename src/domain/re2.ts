/**
 * Why a JavaScript pattern can't run on RE2, which BigQuery uses, with the same meaning; undefined if it can. What is not known to be the same
 * is refused (RE2: Syntax, https://github.com/google/re2/wiki/Syntax).
 */
export function notRe2(pattern: RegExp): string | undefined {
  if (pattern.flags.replace('u', '') !== '') return `the flags of ${String(pattern)} have no equal in SQL`
  const why = problem(pattern.source, pattern.flags.includes('u'))
  return why === undefined ? undefined : `${String(pattern)} ${why}`
}

// Characters that mean themselves behind a backslash, in both.
const punctuation = /[!-,./:-@[\]\\^`{-~-]/

function problem(source: string, unicode: boolean): string | undefined {
  let inClass = false
  for (let index = 0; index < source.length; index++) {
    const rest = source.slice(index)
    const character = source[index]
    if (character === '\\') {
      const why =
        escapeProblem(rest, inClass) ??
        (/^\\[DW]/.test(rest) && (inClass || !wholeRuns(rest.slice(2))) ? unitsProblem(unicode) : undefined)
      if (why !== undefined) return why
      if (rest.startsWith('\\p')) index += rest.indexOf('}')
      else index++
    } else if (inClass) {
      if (character === '[') return 'has [ inside a class, which RE2 reads as the start of a named class: write \\['
      if (character === ']') inClass = false
    } else if (character === '[') {
      if (/^\[\^?\]/.test(rest)) return 'has an empty class, which RE2 reads differently'
      const end = /^\[\^(?:[^\]\\]|\\.)*\]/.exec(rest)?.[0].length
      if (end !== undefined && !wholeRuns(rest.slice(end))) {
        const why = unitsProblem(unicode)
        if (why !== undefined) return why
      }
      inClass = true
    } else if (character === '.') {
      return 'has a . outside of a class, which leaves out other line ends in RE2: write [^\\n] or the characters you mean'
    } else if (/^\(\?(?!:)/.test(rest)) {
      return /^\(\?<?[=!]/.test(rest)
        ? "looks around, which RE2 can't"
        : 'has a named group or a modifier, which RE2 writes differently'
    } else if (
      /^\{\d/.test(rest) &&
      [...rest.matchAll(/\d+/g)].slice(0, 2).some(count => Number(count[0]) > 1000 && (count.index ?? 0) < rest.indexOf('}'))
    ) {
      return 'repeats more than 1000 times, which RE2 refuses'
    }
  }
  return !unicode && /[\ud800-\udfff]/.test(source) ? unitsProblem(unicode) : undefined
}

function escapeProblem(rest: string, inClass: boolean): string | undefined {
  const next = rest[1] ?? ''
  if (/[dDwWnrtfv]/.test(next) || punctuation.test(next)) return undefined
  if (/[bB]/.test(next)) return inClass ? 'has \\b inside a class, which RE2 refuses' : undefined
  if (/[1-9k]/.test(next)) return "refers back, which RE2 can't"
  if (/^\\p\{[A-Z][a-z]?\}/.test(rest)) return undefined
  return 'has an escape that RE2 reads differently'
}

/** Does what follows repeat without end, so that two UTF-16 units or one code point make no difference? */
function wholeRuns(rest: string): boolean {
  return rest.startsWith('*') || rest.startsWith('+')
}

function unitsProblem(unicode: boolean): string | undefined {
  return unicode ? undefined : 'may match half a character beyond U+FFFF, and RE2 matches whole ones: give it the flag u'
}
