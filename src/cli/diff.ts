import type { Column } from '../domain/column.ts'
import { isPersonal } from '../domain/personal.ts'
import { type Difference, difference, type Example } from '../engine/diff.ts'
import { tablesOf } from '../engine/plan.ts'
import { publishedVersions, versionMeant } from '../engine/versions.ts'
import { type Command, worldHelp, worldOptions } from './command.ts'
import { loadTarget } from './pipelines.ts'
import { limitOf } from './read.ts'
import { plain } from './table.ts'
import { inWorld } from './with-local.ts'

export const diff: Command = {
  name: 'diff',
  summary: 'what differs between two versions: added, removed, changed by key',
  usage: 'NAME V1 [V2] [--limit N]',
  help: `Compares two versions of the pipeline's table by the key of its rows: how many were added, removed and changed, in which columns, and examples. V1
and V2 are versions as \`versions\` prints them, the beginning of one, or a date for what stood at the end of that day; without V2 the one that stands now.

  --limit N        at most N examples (10 if left out; 0 for counts only)
  --personal       values of columns marked as personal data too; hidden if left out
${worldHelp}

Examples
  npm run etl -- diff apps-per-env 2026-11-20 2026-11-21
  npm run etl -- diff apps-per-env 2026-11-20 --json`,
  options: { ...worldOptions, limit: { type: 'string' }, personal: { type: 'boolean' } },
  words: { least: 2, most: 3 },
  async run(context) {
    const pipeline = await loadTarget(context.root, context.words[0] ?? '')
    const limit = context.flags.limit === '0' ? 0 : limitOf(context.flags.limit, 10)
    const personal = context.flags.personal === true
    await inWorld(context, [pipeline], 'quiet', async ({ ports, settings }) => {
      const tables = tablesOf(pipeline, settings)
      const versions = await publishedVersions(tables, ports.warehouse)
      const meant = (text: string) => versionMeant(text, versions, pipeline.timeZone).version
      const pair = {
        before: meant(context.words[1] ?? ''),
        after: context.words[2] === undefined ? (versions.all[0]?.version ?? '') : meant(context.words[2]),
      }
      const found = await difference(pipeline, tables, ports.warehouse, versions, pair, limit)
      const { columns, key } = pipeline.to.row
      if (!context.json) return context.out.line(text(found, pair, columns, key, personal))
      const side = (row: Example['before']) => (row === null ? null : plain(columns, row, { personal }))
      const examples = found.examples.map(({ what, before, after }) => ({ what, before: side(before), after: side(after) }))
      context.out.data({ ...pair, ...found, examples })
    })
    return 0
  },
}

function text(
  { added, removed, changed, same, columns: counts, examples }: Difference,
  { before, after }: { readonly before: string; readonly after: string },
  columns: readonly Column[],
  key: readonly string[],
  personal: boolean,
): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return [
    `${before} → ${after}`,
    `  ${added} added, ${removed} removed, ${changed} changed, ${same} the same`,
    ...(parts.length === 0 ? [] : [`  changed in ${parts.join(', ')}`]),
    ...examples.map(example => `  ${exampleText(example, columns, key, personal)}`),
  ].join('\n')
}

function exampleText(
  { what, before, after }: Example,
  columns: readonly Column[],
  key: readonly string[],
  personal: boolean,
): string {
  const show = (column: Column, row: Example['before']) =>
    JSON.stringify(plain([column], row ?? {}, { personal })[column.name] ?? null)
  const keys = columns.filter(column => key.includes(column.name)).map(column => show(column, after ?? before))
  const rest = columns.filter(column => !key.includes(column.name))
  const values = rest.flatMap(column => {
    const [old, new_] = [show(column, before), show(column, after)]
    if (what !== 'changed') return [`${column.name}: ${what === 'added' ? new_ : old}`]
    if (isPersonal(column) && !personal) return JSON.stringify(before) === JSON.stringify(after) ? [] : [`${column.name}: •••`]
    return old === new_ ? [] : [`${column.name}: ${old} → ${new_}`]
  })
  const sign = { added: '+', removed: '-', changed: '~' }[what]
  return `${sign} ${keys.join(', ')}${values.length === 0 ? '' : `  ${values.join(', ')}`}`
}
