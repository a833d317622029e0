/** A word, name, text or sign of SQL, with its place; comments and spaces are left out. */
export type Token = {
  readonly kind: 'word' | 'name' | 'text' | 'sign'
  /** As it is written. */
  readonly text: string
  /** What a name or text says. */
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Takes GoogleSQL apart (Lexical structure and syntax). */
export function googleTokens(sql: string): Token[] {
  return tokens(sql, google, (kind, text) => {
    if (kind === 'name') return text.slice(1, -1)
    const [, prefix = '', quotes = "'", inside = ''] = /^([rRbB]*)('''|"""|'|")([\s\S]*)\2$/.exec(text) ?? []
    return /r/i.test(prefix) || quotes === ''
      ? inside
      : inside.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[0-7]{3}|[\s\S])/gi, escaped)
  })
}

/** Takes Postgres' SQL apart (4.1 Lexical Structure). */
export function postgresTokens(sql: string): Token[] {
  return tokens(sql, postgres, (kind, text) => (kind === 'name' ? text.slice(1, -1).replaceAll('""', '"') : text))
}

const google =
  /(?<space>\s+|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>[rRbB]{0,2}(?:'''(?:\\[\s\S]|[\s\S])*?'''|"""(?:\\[\s\S]|[\s\S])*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))|(?<name>`(?:\\.|[^`\\])*`)|(?<word>@{0,2}[A-Za-z_]\w*|\d+)|(?<sign>[\s\S])/y

const postgres =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>[eE]'(?:\\[\s\S]|''|[^'\\])*'|[bBxXnN]?'(?:''|[^'])*'|\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$)|(?<name>"(?:""|[^"])*")|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d+)|(?<sign>::|[\s\S])/y

function tokens(sql: string, pattern: RegExp, read: (kind: 'name' | 'text', text: string) => string): Token[] {
  const found: Token[] = []
  pattern.lastIndex = 0
  for (let match = pattern.exec(sql); match !== null; match = pattern.exec(sql)) {
    const kind = (['word', 'name', 'text', 'sign'] as const).find(each => match?.groups?.[each] !== undefined)
    const [text] = match
    if (kind === undefined) continue
    const value = kind === 'name' || kind === 'text' ? read(kind, text) : text
    found.push({ kind, text, value, start: match.index, end: match.index + text.length })
  }
  return found
}

function escaped(_: string, sequence: string): string {
  const simple: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v' }
  if (/^[xuU]/.test(sequence)) return String.fromCodePoint(Number.parseInt(sequence.slice(1), 16))
  if (/^[0-7]{3}$/.test(sequence)) return String.fromCodePoint(Number.parseInt(sequence, 8))
  return simple[sequence] ?? sequence
}
