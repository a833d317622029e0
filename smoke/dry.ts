import { type Check, megabytes } from './check.ts'
import type { Names } from './names.ts'

/** What each check does, sends, costs and decides. */
export function dryText(checks: readonly Check[], names: Names): string {
  const parts = checks.map(check => {
    const { number, title, does, verifies, otherwise, statements } = check
    const texts = statements(names).map(text => indented(text))
    return `${number} ${title}
  does       ${does}
  verifies   ${verifies}
  if not     ${otherwise}
  costs      at most ${megabytes([check])} MB billed
${texts.join('\n')}
`
  })
  return `${parts.join('\n')}
${checks.length} checks, at most ${megabytes(checks)} MB billed. Nothing was sent.
`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line, index) => `  ${index === 0 ? '>' : ' '} ${line}`.trimEnd())
    .join('\n')
}
