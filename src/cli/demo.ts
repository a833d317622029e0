import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { tableName } from '../domain/source.ts'
import { tablesOf } from '../engine/plan.ts'
import { currentRows } from '../engine/rows.ts'
import { run as engineRun } from '../engine/run.ts'
import type { Command } from './command.ts'
import { startLocalServer } from './local-server.ts'
import { loadPipeline } from './pipelines.ts'
import { seed } from './seed.ts'
import { table } from './table.ts'
import { onServer } from './with-local.ts'

const usual = join('.etl', 'demo')

export const demo: Command = {
  name: 'demo',
  summary: 'npm start: the flagship on its fixtures, through a local BigQuery',
  usage: '[--case NAME] [--dir DIR]',
  help: `Starts a local BigQuery on a folder, loads the fixtures of apps-per-env as its source table, runs the pipeline through the production adapter and
shows what was published. Each time makes one more version.

  --case NAME      which case of fixtures/apps-per-env/ is the source ('guide' if left out)
  --dir DIR        where the data lies (${usual} if left out)

Examples
  npm start
  npm run etl -- demo --case two-dates`,
  options: { case: { type: 'string' }, dir: { type: 'string' } },
  words: { least: 0, most: 0 },
  async run(context) {
    const { out } = context
    const folder = typeof context.flags.dir === 'string' ? context.flags.dir : usual
    const path = resolve(context.root, folder)
    const pipeline = await loadPipeline(context.root, 'apps-per-env')
    await mkdir(path, { recursive: true })
    return onServer(await startLocalServer(path), async server => {
      out.line(`Local BigQuery at ${server.url}, a process of its own; its data lies in ${folder}`)
      const world = await context.world({ endpoint: server.url, report: 'human' })
      const seeded = await seed(
        server.url,
        pipeline,
        world,
        context.root,
        typeof context.flags.case === 'string' ? context.flags.case : 'guide',
      )
      for (const made of seeded.tables)
        out.line(`Source ${made.name}: ${made.rows ?? 'the'} rows of fixtures/${pipeline.name}/${seeded.case}`)
      out.line()
      const outcome = await engineRun(pipeline, world.request, world.ports, world.settings, context.signal)
      const tables = tablesOf(pipeline, world.settings)
      const { columns, rows } = await currentRows(pipeline, tables, world.ports.warehouse, 50)
      out.line(`\n${tableName(tables.target)}, version ${outcome.version}\n`)
      out.line(table(columns, rows))
      out.line(`
The data stays in ${folder}. Next, try:
  npm run etl -- versions apps-per-env --dir ${folder}      every version that was published
  npm run etl -- plan apps-per-env --dir ${folder} --sql    what the next run would do, word for word
  npm run test:watch -- apps-per-env                        then change src/pipelines/apps-per-env.ts`)
      return 0
    })
  },
}
