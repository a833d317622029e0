import { createRequire } from 'node:module'
import { EtlError } from '../domain/error.ts'

/** danfojs' groups: for each code of keys joined with '-', the results of an operation (its own spelling). */
export type Groups = {
  arithemetic(operation: 'count' | 'sum'): Readonly<Record<string, Readonly<Record<string, readonly (number | bigint)[]>>>>
}

type DataFrame = { groupby(columns: string[]): { col(columns: string[]): Groups } }
type DataFrameClass = new (
  rows: readonly (readonly (number | bigint)[])[],
  options: { columns: string[]; dtypes: string[]; config: object },
) => DataFrame

/**
 * A danfojs frame of rows that hold numbers only. Its groups are asked by `arithemetic`, the step under `count()`: the step after it copies every
 * column once a group, which takes minutes for 100 000 groups.
 * @throws EtlError `config` if danfojs-node isn't installed.
 */
export function dataFrame(rows: readonly (readonly (number | bigint)[])[], columns: readonly string[]): DataFrame {
  const Frame = loaded()
  // The types are told, since danfojs guesses wrong: it calls a bigint an int32. They only label: the values stay as they are.
  return new Frame(rows, { columns: [...columns], dtypes: columns.map(() => 'int32'), config: { lowMemoryMode: true } })
}

let cached: DataFrameClass | undefined

// By the base's own files: the front door also loads readers for Excel and HTTP, 0.2 s that nobody here needs. The order matters, since they import in a ring.
function loaded(): DataFrameClass {
  if (cached !== undefined) return cached
  const require = createRequire(import.meta.url)
  try {
    require('danfojs-node/dist/danfojs-base/index.js')
    cached = (require('danfojs-node/dist/danfojs-base/core/frame.js') as { default: DataFrameClass }).default
    return cached
  } catch (error) {
    throw new EtlError('config', 'danfojs-node can not be loaded.', {
      hint: 'install it with the overrides that docs/authoring.md names',
      cause: error,
    })
  }
}
