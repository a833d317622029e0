import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { type NamedPipeline, partsOf } from '../domain/pipeline.ts'
import { sourceName } from '../domain/source.ts'
import { nextTick } from '../engine/tick.ts'
import { type Command, worldOptions } from './command.ts'
import { loadAll } from './pipelines.ts'

export const list: Command = {
  name: 'list',
  summary: 'list the pipelines',
  usage: '',
  help: `Lists the pipelines of src/pipelines: schedule, next tick, sources, target.

  --env NAME       dev or prod: which names of env({ … })
  --json           data as JSON

Examples
  npm run etl -- list
  npm run etl -- list --json`,
  options: { env: worldOptions.env, json: worldOptions.json },
  words: { least: 0, most: 0 },
  async run(context) {
    const { environment } = context.chosen
    const rows = (await loadAll(context.root)).map(pipeline => ({
      name: pipeline.name,
      schedule: `${pipeline.schedule} ${pipeline.timeZone}`,
      next: nextOf(pipeline),
      from: Object.values(pipeline.from).map(source => sourceName(source, name => nameIn(name, environment))),
      to: tableOf(pipeline, environment),
      write: pipeline.write.mode,
      also: partsOf(pipeline)
        .slice(1)
        .map(part => ({ to: tableOf(part, environment), write: part.write.mode })),
    }))
    if (context.json) context.out.data(rows)
    else if (rows.length === 0) context.out.line('No pipelines yet. `npm run etl -- new my-first` makes one.')
    else
      for (const row of rows)
        context.out.line(`${row.name}\n  ${row.from.join(', ')} → ${tables(row)}\n  ${row.schedule}, next ${row.next}`)
    return 0
  },
}

function tables({ to, write, also }: Written & { readonly also: readonly Written[] }): string {
  return [{ to, write }, ...also].map(one => `${one.to} (${one.write})`).join(', ')
}

type Written = { readonly to: string; readonly write: string }

function tableOf({ to }: NamedPipeline, environment: string): string {
  return `${nameIn(to.dataset, environment)}.${to.table}`
}

function nextOf(pipeline: NamedPipeline): string {
  try {
    return nextTick(pipeline)
  } catch (error) {
    throw error instanceof EtlError ? error.within({ pipeline: pipeline.name }) : error
  }
}
