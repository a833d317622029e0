import { EtlError } from '../../domain/error.ts'
import type { Token } from './tokens.ts'

/** A column of a query's result: its name (null: all columns of what is read), and the type that a cast gives it, as it is written. */
export type Selected = { readonly name: string | null; readonly type: string | undefined; readonly expression: string }

/**
 * The columns of a query, by the list of its first SELECT outside of parentheses. Names are those that Postgres gives (an alias, the column's or function's own); BigQuery's are the same where the query has named them.
 * @throws EtlError `usage` for an expression without a name.
 */
export function selectList(tokens: readonly Token[]): Selected[] {
  const depths = depthsOf(tokens)
  const isWord = (index: number, words: readonly string[]) =>
    depths[index] === 0 && tokens[index]?.kind === 'word' && words.includes(tokens[index]?.text.toUpperCase() ?? '')
  let from = tokens.findIndex((_, index) => isWord(index, ['SELECT'])) + 1
  if (from === 0) throw new EtlError('usage', 'there is no SELECT in the query.')
  while (isWord(from, ['ALL', 'DISTINCT'])) from++
  const end = tokens.findIndex(
    (_, index) => index >= from && (isWord(index, ends) || (depths[index] === 0 && tokens[index]?.text === ';')),
  )
  const items: Token[][] = [[]]
  for (let index = from; index < (end < 0 ? tokens.length : end); index++) {
    const token = tokens[index] as Token
    if (token.text === ',' && depths[index] === 0) items.push([])
    else items.at(-1)?.push(token)
  }
  return items.filter(item => item.length > 0).map(selected)
}

const ends = [
  'FROM',
  'WHERE',
  'GROUP',
  'HAVING',
  'WINDOW',
  'UNION',
  'INTERSECT',
  'EXCEPT',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'FETCH',
  'FOR',
]

/** How deep in parentheses each token stands; a parenthesis itself counts as outside. */
function depthsOf(tokens: readonly Token[]): number[] {
  let depth = 0
  return tokens.map(({ kind, text }) => {
    if (kind !== 'sign') return depth
    if (text === ')' || text === ']') depth--
    const own = depth
    if (text === '(' || text === '[') depth++
    return own
  })
}

function selected(item: readonly Token[]): Selected {
  const expression = item.map(({ text }) => text).join(' ')
  if (item.at(-1)?.text === '*' && (item.length === 1 || item.at(-2)?.text === '.'))
    return { name: null, type: undefined, expression }
  const as = item.at(-2)
  const last = item.at(-1) as Token
  const isNamed = as?.kind === 'word' && as.text.toUpperCase() === 'AS' && isIdentifier(last)
  const rest = isNamed ? item.slice(0, -2) : item
  const { type, alias, before } = castOf(rest)
  const name = isNamed ? identifier(last) : (alias ?? ownName(before) ?? type?.split(' ')[0])
  if (name === undefined)
    throw new EtlError('usage', `the expression ${expression} has no name.`, {
      hint: 'give every expression an alias: … AS name',
    })
  return { name, type, expression: before.map(({ text }) => text).join(' ') }
}

/** `x::type`, `CAST(x AS type)`, and an alias without AS behind either or behind anything else. */
function castOf(item: readonly Token[]): { type: string | undefined; alias: string | undefined; before: readonly Token[] } {
  const depths = depthsOf(item)
  const at = item.findLastIndex((token, index) => token.text === '::' && depths[index] === 0)
  if (at >= 0) {
    const text = item
      .slice(at + 1)
      .map(token => token.text)
      .join(' ')
    const parts = typePattern.exec(text)
    const alias = parts?.[2]?.trim()
    const token = item.at(-1) as Token
    return {
      type: (parts?.[1] ?? text).toLowerCase(),
      alias: alias === undefined || alias === '' ? undefined : identifier(token),
      before: item.slice(0, at),
    }
  }
  const [last, previous] = [item.at(-1), item.at(-2)]
  const hasAlias =
    item.length > 1 && last !== undefined && previous !== undefined && isIdentifier(last) && !/^[.+*/%|<>=-]$/.test(previous.text)
  const own = hasAlias ? item.slice(0, -1) : item
  const cast = /^(?:SAFE_)?CAST \( (.*) AS ([\w ]+?)(?: \(.*)? \)$/i.exec(own.map(({ text }) => text).join(' '))
  const inside = cast === null ? own : own.slice(2, 2 + (cast[1] ?? '').split(' ').length)
  return { type: cast?.[2]?.toLowerCase(), alias: hasAlias ? identifier(last) : undefined, before: inside }
}

const typePattern =
  /^(double precision|character varying|bit varying|time(?:stamp)?(?: \( \d \))? with(?:out)? time zone|[\w.]+)(?: \( [\d ,]+ \))?(?: \[ \])*(.*)$/i

/** A column is called as it is, also with its table in front; a call as its function. */
function ownName(tokens: readonly Token[]): string | undefined {
  const [first] = tokens
  if (first === undefined || !isIdentifier(first)) return undefined
  if (tokens[1]?.text === '(') return tokens.at(-1)?.text === ')' ? identifier(first) : undefined
  const last = tokens.at(-1) as Token
  const isPath = tokens.every((token, index) => (index % 2 === 0 ? isIdentifier(token) : token.text === '.'))
  return isPath ? identifier(last) : undefined
}

const isIdentifier = ({ kind, text }: Token) => kind === 'name' || (kind === 'word' && !/^[\d@]/.test(text))
// Postgres: names without quotes are lower case.
const identifier = ({ kind, value, text }: Token) => (kind === 'name' ? value : text.toLowerCase())
