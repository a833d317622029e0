import { type Client, createClient } from './client.ts'
import { GoogleSqlError } from './error.ts'
import type { Field, Value } from './field.ts'
import { type Node, text, tidy } from './tree.ts'
import { fieldOf, typeOf } from './types.ts'
import { fromProto, type ProtoValue, toProto } from './values.ts'

/**
 * What a statement may name: tables by one identifier each, script variables, parameters, and `@@row_count` where it is known. The rows of a
 * numbered table have a hidden key, their place from 0: so an UPDATE or DELETE can say which rows it means.
 */
export type Scope = {
  readonly tables: readonly { readonly name: string; readonly schema: readonly Field[]; readonly numbered?: boolean }[]
  readonly variables?: readonly Named[]
  readonly parameters?: readonly Named[]
  /** Types that the columns of a query are coerced to, as by an assignment. */
  readonly targets?: readonly Field[]
  readonly rowCount?: boolean
}

/** A name with its type (the field's) and its value. */
export type Named = { readonly field: Field; readonly value: Value }

/** Rows: one array a row, in the order of the schema's columns. */
export type Rows = readonly (readonly Value[])[]

/** What happens to the row at a place of a table. */
export type Change = { readonly place: number; readonly row: Value[] | undefined }

/** Google's parser, analyser and evaluator. Every method throws GoogleSqlError. Time zone UTC, the dialect of BigQuery's users. */
export type GoogleSql = {
  /** The tree of a script: a node with `statementListNode`. */
  parse(script: string): Promise<Node>
  /** The tables that a script names, each as its path. */
  tableNames(script: string): Promise<string[][]>
  /** The resolved tree of one statement; nodes know their byte ranges. */
  analyse(sql: string, scope: Scope): Promise<Node>
  /** Runs one query on the rows of its tables. A column without a name is called ''. */
  query(sql: string, scope: Scope, content: ReadonlyMap<string, Rows>): Promise<{ schema: Field[]; rows: Value[][] }>
  /** The rows, of all columns of `table`, that an INSERT would add. */
  inserted(sql: string, scope: Scope, content: ReadonlyMap<string, Rows>, table: readonly Field[]): Promise<Value[][]>
  /** The rows that an UPDATE or DELETE touches in its numbered table, with all their new values (none where the row is deleted). */
  changed(sql: string, scope: Scope, content: ReadonlyMap<string, Rows>, table: readonly Field[]): Promise<Change[]>
  close(): Promise<void>
}

/** Makes the connection to Google's server; it starts with the first call and ends with this process. */
export function createGoogleSql(): GoogleSql {
  const client = createClient()
  let loaded: Promise<Language> | undefined
  const language = () => {
    loaded ??= languageOptions(client).catch(error => {
      loaded = undefined
      throw error
    })
    return loaded
  }
  const evaluation = async (sql: string, scope: Scope, content: ReadonlyMap<string, Rows>) => {
    const { options, simpleCatalog } = request(await language(), { ...scope, rowCount: false }, false)
    const tableContent = Object.fromEntries(
      scope.tables.map(table => [table.name, contentOf(table, content.get(table.name) ?? [])]),
    )
    const params = (scope.parameters ?? []).map(({ field, value }) => ({ name: field.name, value: toProto(value, field) }))
    return { sql, options, simpleCatalog, tableContent, params }
  }
  return {
    async parse(script) {
      const answer = await client.call('Parse', { sqlStatement: script, options: await language(), allowScript: true })
      return tidy(answer.parsedScript) as Node
    },
    async tableNames(script) {
      const answer = await client.call('ExtractTableNamesFromStatement', {
        sqlStatement: script,
        options: await language(),
        allowScript: true,
      })
      return ((answer.tableName ?? []) as { tableNameSegment: string[] }[]).map(each => each.tableNameSegment)
    },
    async analyse(sql, scope) {
      const answer = await client.call('Analyze', { sqlStatement: sql, ...request(await language(), scope) })
      return tidy(answer.resolvedStatement) as Node
    },
    async query(sql, scope, content) {
      const answer = await client.call('EvaluateQuery', await evaluation(sql, scope, content))
      const columns = ((answer.prepared as { columns?: Node[] } | undefined)?.columns ?? []) as Node[]
      const schema = columns.map(column => fieldOf(text(column, 'name'), column.type as Node))
      const rows = (answer.content as { tableData?: { row?: { cell?: ProtoValue[] }[] } } | undefined)?.tableData?.row ?? []
      return { schema, rows: rows.map(row => schema.map((field, index) => readCell(row.cell?.[index] ?? {}, field))) }
    },
    async inserted(sql, scope, content, table) {
      const answer = await client.call('EvaluateModify', await evaluation(sql, scope, content))
      const rows = (answer.content ?? []) as { operation?: string; cell?: ProtoValue[] }[]
      return rows.map(row => table.map((field, index) => readCell(row.cell?.[index] ?? {}, field)))
    },
    async changed(sql, scope, content, table) {
      const answer = await client.call('EvaluateModify', await evaluation(sql, scope, content))
      const rows = (answer.content ?? []) as { operation?: string; cell?: ProtoValue[]; oldPrimaryKey?: ProtoValue[] }[]
      return rows.map(({ operation, cell, oldPrimaryKey }) => ({
        place: Number(oldPrimaryKey?.[0]?.int64Value),
        row: operation === 'DELETE' ? undefined : table.map((field, index) => readCell(cell?.[index] ?? {}, field)),
      }))
    },
    close: () => client.close(),
  }
}

type Language = Record<string, unknown>

async function languageOptions(client: Client): Promise<Language> {
  const language = await client.call('GetLanguageOptions', { maximumFeatures: true })
  // Empty means all kinds of statements; EXTERNAL is the dialect of BigQuery's users (no INT32, no ENUM).
  // BigQuery has ALTER COLUMN SET DATA TYPE, which the maximum leaves out.
  const features = [...(language.enabledLanguageFeatures as string[]), 'FEATURE_ALTER_COLUMN_SET_DATA_TYPE']
  return { ...language, enabledLanguageFeatures: features, supportedStatementKinds: [], productMode: 'PRODUCT_EXTERNAL' }
}

// Pruned, a tree says which columns are read. The evaluator breaks down over a pruned INSERT that leaves columns out.
function request(languageOptions: Language, scope: Scope, pruneUnusedColumns = true): { options: object; simpleCatalog: object } {
  const systemVariables = scope.rowCount === true ? [{ namePath: ['row_count'], type: { typeKind: 'TYPE_INT64' } }] : []
  return {
    options: {
      languageOptions,
      defaultTimezone: 'UTC',
      errorMessageMode: 'ERROR_MESSAGE_ONE_LINE',
      parseLocationRecordType: 'PARSE_LOCATION_RECORD_FULL_NODE_SCOPE',
      pruneUnusedColumns,
      queryParameters: (scope.parameters ?? []).map(({ field }) => ({ name: field.name, type: typeOf(field) })),
      systemVariables,
      targetColumnTypes: (scope.targets ?? []).map(typeOf),
    },
    simpleCatalog: {
      name: 'root',
      builtinFunctionOptions: { languageOptions },
      constant: (scope.variables ?? []).map(({ field, value }) => ({
        namePath: [field.name],
        type: typeOf(field),
        value: toProto(value, field),
      })),
      table: scope.tables.map(tableOf),
    },
  }
}

function contentOf({ schema, numbered }: Scope['tables'][number], rows: Rows): object {
  const cells = (row: readonly Value[]) => schema.map((field, index) => toProto(row[index] ?? null, field))
  return {
    tableData: {
      row: rows.map((row, place) => ({ cell: numbered ? [...cells(row), { int64Value: String(place) }] : cells(row) })),
    },
  }
}

function tableOf({ name, schema, numbered }: Scope['tables'][number]): object {
  const column = schema.map(field => ({ name: field.name, type: typeOf(field) }))
  if (!numbered) return { name, column }
  const key = { name: '__place', type: { typeKind: 'TYPE_INT64' }, isPseudoColumn: true }
  return { name, column: [...column, key], primaryKeyColumnIndex: [column.length] }
}

// BigQuery: "Array cannot have a null element" when an array is written to a result or a table (Data types, "NULLs and the ARRAY type").
function readCell(cell: ProtoValue, field: Field): Value {
  const value = fromProto(cell, field)
  if (holdsNullElement(value, field))
    throw new GoogleSqlError('failed', `Array cannot have a null element; error in writing field ${field.name}`)
  return value
}

function holdsNullElement(value: Value, field: Field): boolean {
  if (Array.isArray(value)) {
    const elements = value as readonly Value[]
    return (
      field.mode === 'REPEATED' && elements.some(each => each === null || holdsNullElement(each, { ...field, mode: 'NULLABLE' }))
    )
  }
  if (field.type !== 'RECORD' || field.mode === 'REPEATED' || value === null) return false
  const record = value as { readonly [name: string]: Value }
  return (field.fields ?? []).some(each => holdsNullElement(record[each.name] ?? null, each))
}
