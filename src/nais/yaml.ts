/** What a manifest is made of. Keys keep their order; `undefined` leaves a key out. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml | undefined }

/** Words that YAML 1.1, which the deploy action reads, takes for something other than text. */
const notText = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null'])

/** A value as one YAML document, with `#` lines of comment before it. Text is quoted unless it can't be read as anything else. */
export function yamlDocument(value: Yaml, comment: readonly string[] = []): string {
  return `${comment.map(line => `# ${line}`.trimEnd()).join('\n')}${comment.length > 0 ? '\n' : ''}${block(value, '').trimStart()}\n`
}

/** Several documents in one file. */
export function yamlFile(documents: readonly string[]): string {
  return documents.join('---\n')
}

function block(value: Yaml, indent: string): string {
  if (Array.isArray(value)) {
    return value.length === 0
      ? ' []'
      : value.map(item => `\n${indent}- ${block(item as Yaml, `${indent}  `).trimStart()}`).join('')
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined) as [string, Yaml][]
    return entries.length === 0
      ? ' {}'
      : entries.map(([key, item]) => `\n${indent}${text(key)}:${block(item, `${indent}  `)}`).join('')
  }
  if (typeof value !== 'string') return ` ${value}`
  if (!value.includes('\n')) return ` ${text(value)}`
  return ` |-\n${value
    .split('\n')
    .map(line => `${indent}${line}`.trimEnd())
    .join('\n')}`
}

// Single quotes, since `\{{` is no escape in a double-quoted text.
function text(value: string): string {
  return /^[A-Za-z_][\w./-]*$/.test(value) && !notText.has(value.toLowerCase()) ? value : `'${value.replaceAll("'", "''")}'`
}
