import type { Change } from './evolution.ts'
import type { Shape } from './shape.ts'

/** How a table lies, beyond its columns. */
export type Layout = {
  /** By day of this column; '' is the time of loading. null: one piece. `type` is BigQuery's granularity. */
  readonly partition: { readonly column: string; readonly type: string } | null
  readonly requiresFilter: boolean
  readonly clusters: readonly string[]
}

/** What a pipeline declares of it. */
export type Wanted = {
  readonly mode: string
  readonly key: readonly string[]
  readonly partitionBy: string | undefined
  readonly clusters: readonly string[]
}

/** The differences that no ALTER TABLE mends: mode, key and partitions decide what the table means; clusters only how fast it is read. */
export function layoutChanges(wanted: Wanted, found: Layout, last: Shape | null): readonly Change[] {
  return [
    ...modeChange(wanted, last),
    ...keyChange(wanted, last),
    ...partitionChange(wanted, found),
    ...clusterChange(wanted, found),
  ]
}

function modeChange({ mode }: Wanted, last: Shape | null): readonly Change[] {
  if (last === null || last.mode === mode) return []
  return [
    whole(
      'breaking',
      'mode',
      `it is written by ${last.mode} so far, the pipeline says ${mode}: its versions mean something else`,
    ),
  ]
}

/** Which rows are the same row: with another key `merge` overwrites others, and a reader's join counts twice. */
function keyChange({ mode, key }: Wanted, last: Shape | null): readonly Change[] {
  if (last === null) return []
  const [before, after] = [[...last.key].sort(), [...key].sort()]
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const names = (columns: readonly string[]) => (columns.length === 0 ? 'nothing' : columns.join(', '))
  if (before.length === 0 && mode !== 'merge')
    return [whole('keep', 'key', `its rows are told apart by ${names(key)} from now on: the audit sees to it`)]
  return [whole('breaking', 'key', `its rows are told apart by ${names(last.key)} so far, the row schema says by ${names(key)}`)]
}

function partitionChange({ mode, partitionBy }: Wanted, found: Layout): readonly Change[] {
  const has =
    found.partition === null
      ? 'has no partitions'
      : `has partitions by ${found.partition.type.toLowerCase()} of ${found.partition.column || 'the time of loading'}`
  const fits = found.partition?.column.toLowerCase() === partitionBy?.toLowerCase() && found.partition?.type === 'DAY'
  if (partitionBy !== undefined && !fits) {
    return [
      whole(
        'breaking',
        'partitions',
        `it ${has}, the pipeline writes partitions by day of ${partitionBy}: a table never changes its partitions`,
      ),
    ]
  }
  if (mode === 'merge' && found.requiresFilter) {
    return [
      whole(
        'breaking',
        'partitions',
        'it refuses queries without a filter on its partitions (require_partition_filter), and a merge looks for its keys in all of them',
      ),
    ]
  }
  if (partitionBy !== undefined || found.partition === null) return []
  return [whole('keep', 'partitions', `it ${has}, of which the pipeline says nothing`)]
}

function clusterChange({ clusters }: Wanted, found: Layout): readonly Change[] {
  const [wanted, there] = [clusters.join(', '), found.clusters.join(', ')]
  if (wanted.toLowerCase() === there.toLowerCase()) return []
  return [
    whole(
      'keep',
      'clusters',
      `it stays ${there === '' ? 'without clusters' : `clustered by ${there}`}; the pipeline would cluster it by ${wanted || 'nothing'}`,
    ),
  ]
}

function whole(kind: Change['class'], what: Change['kind'], sentence: string): Change {
  return { class: kind, kind: what, column: '', sentence }
}
