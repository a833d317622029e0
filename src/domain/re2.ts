/**
 * Why a JavaScript pattern can't run on RE2, which BigQuery uses, with the same meaning; undefined if it can.
 * RE2 has no look-around and no back-references (RE2: Syntax); `\s` and Unicode escapes mean other characters there.
 */
export function notRe2(pattern: RegExp): string | undefined {
  if (pattern.flags.replace('u', '') !== '') return `the flags of ${String(pattern)} have no equal in SQL`
  const source = pattern.source.replaceAll('\\\\', '')
  if (/\(\?(?:[=!]|<[=!])/.test(source)) return `${String(pattern)} looks around, which RE2 can't`
  if (/\\[1-9]|\\k</.test(source)) return `${String(pattern)} refers back, which RE2 can't`
  if (/\\[cuxsS]/.test(source)) return `${String(pattern)} has an escape that RE2 reads differently`
  return undefined
}
