import { EtlError } from './error.ts'
import { changesOf, type Sources } from './source.ts'
import type { Target } from './target.ts'
import type { WriteMode } from './write.ts'

/**
 * The write mode of a pipeline with sources that are read by their changes: rows that are read again must find themselves by their key, and where keys are
 * compared, those that are missing are deleted.
 * @throws EtlError `pipeline` for what the compiler could not see.
 */
export function writeOfChanges(from: Sources, to: Target, write: WriteMode): WriteMode {
  const changing = Object.entries(from).filter(([, source]) => changesOf(source) !== null)
  const [name] = changing.map(([each]) => each)
  if (name === undefined) return write
  if (write.mode !== 'merge')
    throw new EtlError('pipeline', `${name} is read by its changes, and write is ${write.mode}.`, {
      hint: 'a run reads some rows again: write: merge() puts them in place by their key',
    })
  if (write.deletes === 'missing')
    throw new EtlError('pipeline', `${name} is read by its changes: what a run does not read is not missing.`, {
      hint: "say deletes: 'compare-keys' in changedBy, in place of merge({ deletes: 'missing' })",
    })
  const deletes = changing.map(([each, source]) => [each, changesOf(source)?.deletes] as const)
  const soft = deletes.find(([, how]) => how === 'soft')
  if (soft !== undefined && write.deletes === 'none')
    throw new EtlError('pipeline', `${soft[0]} says deletes: 'soft', and write says nothing of them.`, {
      hint: "name the BOOL column of the target row that says so: write: merge({ deletes: { when: 'slettet' } })",
    })
  const compared = deletes.filter(([, how]) => how === 'compare-keys').map(([each]) => each)
  if (compared.length === 0) return write
  if (compared.length > 1)
    throw new EtlError(
      'pipeline',
      `${compared.join(' and ')} both compare keys: only one source can say which rows of the target are gone.`,
    )
  if (write.deletes !== 'none')
    throw new EtlError('pipeline', `${compared[0]} compares keys, and write deletes by a column too.`, {
      hint: 'choose one of them',
    })
  const columns = from[compared[0] ?? '']?.row.columns ?? []
  const lacking = to.row.key.filter(key => {
    const [there, here] = [columns, to.row.columns].map(all => all.find(column => column.name === key))
    return there?.type !== here?.type
  })
  if (lacking.length > 0)
    throw new EtlError(
      'pipeline',
      `${compared[0]} can't be compared: it has no column ${lacking.join(', ')} of the target's key, of the same type.`,
      {
        hint: 'give the key the same names in both rows',
      },
    )
  return { ...write, deletes: 'missing' }
}

/** The source whose keys say which rows of the target are gone; undefined: none is asked. */
export function comparedSource(from: Sources): string | undefined {
  return Object.entries(from).find(([, source]) => changesOf(source)?.deletes === 'compare-keys')?.[0]
}
