import { EtlError } from '../../domain/error.ts'
import { type Selected, selectList } from './select-list.ts'
import { googleTokens, postgresTokens, type Token } from './tokens.ts'

/** A call of EXTERNAL_QUERY in a scheduled query. */
export type Call = {
  readonly start: number
  readonly end: number
  readonly connection: string
  /** Postgres' SQL. */
  readonly inner: string
  readonly options: string | undefined
  readonly columns: readonly Selected[]
}

/** A scheduled query, taken apart: its calls, and the columns of its result. `isPlain`: it gives what its one call gives. */
export type Query = {
  readonly sql: string
  readonly calls: readonly Call[]
  readonly columns: readonly Selected[]
  readonly isPlain: boolean
}

/**
 * Takes a query apart that reads nothing but EXTERNAL_QUERY.
 * @throws EtlError `usage` for any other.
 */
export function readQuery(sql: string): Query {
  const tokens = googleTokens(sql)
  const calls = tokens.flatMap((token, index) => (isCall(tokens, index) ? [callAt(tokens, index, token)] : []))
  if (calls.length === 0)
    throw new EtlError('usage', 'the query has no EXTERNAL_QUERY.', {
      hint: 'of a query over tables of BigQuery, `npm run etl -- new NAME` makes a pipeline: table(…) and a sql transform',
    })
  const parameter = tokens.find(({ kind, text }) => kind === 'word' && text.startsWith('@'))
  if (parameter !== undefined)
    throw new EtlError('usage', `the query uses ${parameter.text}: a pipeline is given no time.`, {
      hint: 'leave it out; every row that is published has its version, and partition(…) does one date after another',
    })
  const outside = tokens.filter(({ start }) => !calls.some(call => start >= call.start && start < call.end))
  const table = outside.find((token, index) => /^(FROM|JOIN)$/i.test(token.text) && isTable(outside[index + 1], token, calls))
  if (table !== undefined) {
    const name = outside[outside.indexOf(table) + 1]?.value
    throw new EtlError('usage', `the query reads ${name} too: only what EXTERNAL_QUERY reads can be imported.`, {
      hint: 'import it without that table, then add the table to from: table(Row, …), and name it in the sql transform as a source',
    })
  }
  const isPlain = calls.length === 1 && /^SELECT \* FROM( AS)?( \w+)?( ;)?$/i.test(outside.map(({ text }) => text).join(' '))
  return { sql, calls, columns: resultColumns(outside, calls), isPlain }
}

function isCall(tokens: readonly Token[], index: number): boolean {
  return tokens[index]?.kind === 'word' && /^EXTERNAL_QUERY$/i.test(tokens[index]?.text ?? '') && tokens[index + 1]?.text === '('
}

function callAt(tokens: readonly Token[], index: number, { start }: Token): Call {
  const close = tokens.findIndex((token, at) => at > index && token.text === ')')
  const inside = tokens.slice(index + 2, close)
  const [connection, inner, options] = inside.filter(({ kind }) => kind === 'text').map(({ value }) => value)
  const isLiteral = inside.every(({ kind, text }, at) => (at % 2 === 0 ? kind === 'text' : text === ','))
  if (connection === undefined || inner === undefined || !isLiteral || close < 0)
    throw new EtlError('usage', 'EXTERNAL_QUERY has other arguments than texts.', {
      hint: "write EXTERNAL_QUERY('connection', '''SELECT …''')",
    })
  const columns = selectList(postgresTokens(inner))
  const all = columns.find(({ name }) => name === null)
  if (all !== undefined)
    throw new EtlError('usage', `the inner query selects ${all.expression.replaceAll(' ', '')}: the columns are to be named.`, {
      hint: 'write them out; psql shows them with \\d',
    })
  return { start, end: tokens[close]?.end ?? start, connection, inner, options, columns }
}

function isTable(next: Token | undefined, { end }: Token, calls: readonly Call[]): boolean {
  if (next === undefined || next.text === '(' || next.kind === 'sign') return false
  // What follows a call that was taken out is its alias.
  return !calls.some(call => call.start >= end && call.start < next.start)
}

/** The columns of the result: a star stands for those of the calls. */
function resultColumns(outside: readonly Token[], calls: readonly Call[]): Selected[] {
  const inner = calls.flatMap(({ columns }) => columns)
  return selectList(outside).flatMap(each => {
    if (each.name === null) return inner
    const same = inner.find(({ name }) => name === each.expression.split(' . ').at(-1)?.replaceAll('`', ''))
    // GoogleSQL's TIMESTAMP is Postgres' timestamptz.
    const type = each.type === 'timestamp' ? 'timestamptz' : each.type
    return [{ ...each, type: type ?? same?.type, expression: same?.expression ?? each.expression }]
  })
}
