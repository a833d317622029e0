import { literal } from '../src/domain/literal.ts'
import type { TableRef } from '../src/domain/source.ts'

/** Whose tables: everything that this run of the smoke test makes is called `smoke_<token>_…`, in `dataset` or `<dataset>_etl`. */
export type Names = {
  readonly project: string
  readonly dataset: string
  /** Eight hex digits of this run's own. */
  readonly token: string
  /** TIMESTAMP text: when the tables vanish by themselves, should nobody live to delete them. */
  readonly expires: string
}

/** A table of ours in the dataset. */
export function ours(names: Names, table: string): TableRef {
  return { project: names.project, dataset: names.dataset, table: `${prefix(names)}${table}` }
}

/** A table of ours in `<dataset>_etl`. */
export function oursInEtl(names: Names, table: string): TableRef {
  return { ...ours(names, table), dataset: `${names.dataset}_etl` }
}

export function prefix({ token }: Names): string {
  return `smoke_${token}_`
}

/** Did this run make the table of this name? The adapter puts `stage__` in front of its stages. */
export function isOurs(names: Names, table: string): boolean {
  return table.replace(/^stage__/, '').startsWith(prefix(names))
}

/**
 * A `CREATE TABLE` of ours, or word for word of production's, with an expiration in its options.
 * @throws Error where there is no place for it: no table may be made without.
 */
export function expiring(names: Names, create: string): string {
  const option = `expiration_timestamp = ${literal.timestamp(names.expires)}`
  const text = create.trim().replace(/;$/, '')
  const added = /\) AS SELECT\b/.test(text)
    ? text.replace(') AS SELECT', `) OPTIONS (${option}) AS SELECT`)
    : /OPTIONS \([^()]*\)$/.test(text)
      ? text.replace(/\)$/, `, ${option})`)
      : `${text} OPTIONS (${option})`
  if (!/^CREATE (TABLE|VIEW|SNAPSHOT TABLE) /.test(text)) throw new Error(`no CREATE TABLE: ${text}`)
  return `${added};`
}
