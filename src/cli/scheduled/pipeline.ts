import { EtlError } from '../../domain/error.ts'
import { imported } from '../scaffold.ts'
import { type Field, fieldsOf } from './columns.ts'
import type { Call, Query } from './query.ts'

/** What a pipeline file is made of. */
export type Imported = {
  readonly query: Query
  readonly title: string
  readonly dataset: string
  readonly table: string
  readonly cron: string
  readonly keepsAll: boolean
}

/** The file of the pipeline, and the columns whose types are guesses. */
export function pipelineText({ query, title, dataset, table, cron, keepsAll }: Imported): { text: string; guessed: string[] } {
  const result = fieldsOf(query.columns)
  const sources = query.calls.map((call, index) => sourceOf(call, index))
  const rows = query.isPlain
    ? ''
    : sources.map(source => rowText(source.row, source.fields, `What ${source.name} reads.`)).join('')
  const [first] = sources
  if (first === undefined || result.length === 0) throw new EtlError('usage', 'the query has no columns but version.')
  const from = sources
    .map(({ name, row, call }) => `    ${name}: ${externalText(call, query.isPlain ? 'Resultat' : row)},`)
    .join('\n')
  const all = [...result, ...(query.isPlain ? [] : sources.flatMap(({ fields }) => fields))]
  const uses = [
    ...(all.some(({ zod }) => zod.startsWith('bq.')) ? ['bq'] : []),
    'dataset',
    'external',
    'pg',
    'pipeline',
    'replace',
    'row',
    ...(query.isPlain ? [] : ['sql']),
  ]
  const usesZod = all.some(({ zod }) => zod.startsWith('z.'))
  const imports = [imported(`{ ${uses.join(', ')} }`, 'nais-etl'), ...(usesZod ? [imported('* as z', 'zod')] : [])].join('\n')
  const text = `${imports}

${rows}${rowText('Resultat', result, `One row of ${table}.`)}/** The scheduled query ${oneLine(title)}. */
export default pipeline({
  schedule: '${cron}',
  timeZone: 'UTC', // as the scheduled query's; without this line it is Europe/Oslo
  from: {
${from}
  },${query.isPlain ? '' : `\n  transform: sql\`${outerText(query, sources)}\`,`}
  to: dataset('${dataset}').table('${table}', Resultat),
  write: replace(${keepsAll ? "{ history: '400 days' }" : ''}),${keepsAll ? ' // every version can be read' : ''}
})
`
  return { text, guessed: [...new Set(all.filter(({ guessed }) => guessed).map(({ name }) => name))] }
}

type Source = { readonly name: string; readonly row: string; readonly call: Call; readonly fields: readonly Field[] }

function sourceOf(call: Call, index: number): Source {
  const number = index === 0 ? '' : String(index + 1)
  return { name: `kilde${number}`, row: `Kilde${number}`, call, fields: fieldsOf(call.columns) }
}

function rowText(name: string, fields: readonly Field[], says: string): string {
  const lines = fields.map(
    ({ name: column, zod, guessed }) => `  ${column}: ${zod},${guessed ? ' // a guess: doctor says what Postgres has' : ''}`,
  )
  return `/** ${says} */\nconst ${name} = row({\n${lines.join('\n')}\n})\n\n`
}

/** pg`…` takes its text as it is written: what JavaScript would take for its own can't stand there. */
function externalText({ connection, inner, options }: Call, row: string): string {
  if (/`|\$\{|\\[xu]/.test(inner))
    throw new EtlError('usage', 'the inner query holds a back-quote, ${ or a backslash with x or u.', {
      hint: 'write it without, then import again',
    })
  if (!/^(([a-z][a-z0-9.:-]*\.)?[a-z][a-z0-9-]*\.)?[A-Za-z0-9_-]+$/.test(nameOf(connection)))
    throw new EtlError('usage', `${JSON.stringify(connection)} is no connection.`, {
      hint: "correct it in the file: 'location.name'",
    })
  const decimals = /"default_type_for_decimal_columns"\s*:\s*"(\w+)"/.exec(options ?? '')?.[1]
  const more = decimals === undefined || decimals === 'numeric' ? '' : `, { decimals: '${decimals}' }`
  return `external(${row}, '${nameOf(connection)}', pg\`
${inner.trim()}
\`${more})`
}

/** `projects/P/locations/L/connections/C` is `P.L.C`. */
function nameOf(connection: string): string {
  return connection.replace(/^projects\/([^/]+)\/locations\/([^/]+)\/connections\/([^/]+)$/, '$1.$2.$3')
}

/** The outer query with a source's name for each call, as a template of JavaScript. */
function outerText({ sql, calls }: Query, sources: readonly Source[]): string {
  const escaped = (text: string) => text.replace(/[\\`]|\$\{/g, '\\$&')
  let [at, text] = [0, '']
  for (const [index, call] of calls.entries()) {
    text += `${escaped(sql.slice(at, call.start))}\${'${sources[index]?.name}'}`
    at = call.end
  }
  return text + escaped(sql.slice(at).trimEnd().replace(/;$/, ''))
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').replaceAll('*/', '* /')
