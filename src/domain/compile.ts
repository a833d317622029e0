/**
 * Makes a function of its source text; the names of `scope` are what it sees. A loop over closures looks each of them up again for every value of every row; lines that name
 * theirs become one piece of machine code, two to three times as quick (zod and ajv do the same). What comes from outside stands in the text as `quoted` only.
 */
export function compile<F>(scope: Readonly<Record<string, unknown>>, source: string): F {
  return new Function(...Object.keys(scope), `'use strict'; return ${source}`)(...Object.values(scope)) as F
}

/** A name as the text of a literal. */
export function quoted(name: string): string {
  // JSON ends a line where JavaScript does not, which it has allowed in literals since 2019.
  return JSON.stringify(name)
}
