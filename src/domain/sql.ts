/** A transform that never leaves BigQuery: text with the names of sources in it. */
export type Sql<N extends string = string> = {
  readonly kind: 'sql'
  readonly strings: readonly string[]
  readonly names: readonly N[]
}

/** GoogleSQL with sources by name: `` sql`SELECT … FROM ${'apps'}` ``. The names are checked against `from`. */
export function sql<const N extends readonly string[]>(strings: TemplateStringsArray, ...names: N): Sql<N[number]> {
  return { kind: 'sql', strings: [...strings], names }
}

/** The text, each source as a back-quoted name: what the evaluator runs on fixtures, and what a run puts behind `WITH`. */
export function sqlText(query: Sql): string {
  return query.strings.map((text, index) => (index < query.names.length ? `${text}\`${query.names[index]}\`` : text)).join('')
}
