import type { Local } from './local.ts'
import { worldOn } from './project.ts'

/** Makes the datasets of a target, and of sources. */
export async function makeDatasets(local: Local, ...names: string[]): Promise<void> {
  for (const datasetId of names.flatMap(name => [name, `${name}_etl`]))
    await local.call('POST', '/team-dev/datasets', {
      datasetReference: { projectId: 'team-dev', datasetId },
      location: 'europe-north1',
    })
}

/** A source table whose rows a test says as SQL: `fill("(1, 'a')")`. No rows: `fill()`. */
export async function sourceTable(local: Local, name: string, columns: string) {
  const { ports } = await worldOn(local.url)
  const table = `\`team-dev.${name}\``
  await ports.warehouse.execute('test-source', `CREATE TABLE ${table} (${columns})`, 'the source')
  return {
    async fill(...rows: string[]): Promise<void> {
      const insert = rows.length === 0 ? '' : `INSERT INTO ${table} VALUES ${rows.join(', ')};`
      await ports.warehouse.execute('test-fill', `TRUNCATE TABLE ${table}; ${insert}`, 'the source')
    },
  }
}
