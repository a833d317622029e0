import type { DuckDBConnection } from '@duckdb/node-api'
import type { Field, TableMeta } from './contract.ts'
import { quoted, rowsOf } from './duck.ts'

/** What is wrong with the rows of a table: a NULL in a REQUIRED field, or a NULL element of an array (BigQuery can't store those). */
export async function requiredProblem(connection: DuckDBConnection, table: TableMeta): Promise<string | undefined> {
  const rules = rulesOf(table.schema, field => quoted(field.name), [], 0)
  if (rules.length === 0) return undefined
  const counts = rules.map((rule, index) => `count_if(${rule.broken}) AS r${index}`)
  const [row] = await rowsOf(connection, `SELECT ${counts.join(', ')} FROM ${table.physical}`)
  return rules.find((_, index) => Number(row?.[`r${index}`] ?? 0) > 0)?.message
}

type Rule = { readonly broken: string; readonly message: string }

function rulesOf(fields: readonly Field[], ref: (field: Field) => string, path: readonly string[], depth: number): Rule[] {
  return fields.flatMap(field => {
    const [here, name] = [ref(field), [...path, field.name]]
    const own: Rule[] =
      field.mode === 'REQUIRED' ? [{ broken: `${here} IS NULL`, message: `Required field ${name.join('.')} cannot be null` }] : []
    if (field.mode === 'REPEATED') {
      const element = `e${depth}`
      const inside =
        field.type === 'RECORD' ? rulesOf(field.fields ?? [], each => `${element}.${quoted(each.name)}`, name, depth + 1) : []
      own.push({
        broken: `len(list_filter(${here}, lambda ${element}: ${element} IS NULL)) > 0`,
        message: `Only optional fields can be set to NULL. Field: ${name.join('.')}`,
      })
      return [
        ...own,
        ...inside.map(({ broken, message }) => ({
          broken: `len(list_filter(${here}, lambda ${element}: ${broken})) > 0`,
          message,
        })),
      ]
    }
    if (field.type !== 'RECORD') return own
    // The fields of a record that is NULL itself aren't missing.
    const inside = rulesOf(field.fields ?? [], each => `${here}.${quoted(each.name)}`, name, depth)
    return [...own, ...inside.map(({ broken, message }) => ({ broken: `(${here} IS NOT NULL AND ${broken})`, message }))]
  })
}
