import type { Migrations } from '../../ports/migrations.ts'
import { adoption } from './adopt.ts'
import type { Api } from './api.ts'
import { contraction } from './contract.ts'
import { look } from './look.ts'

/** The steps of a schema that a person takes. */
export function createMigrations(api: Api): Migrations {
  return {
    async differences(pipeline, tables) {
      const { target, rows, changes } = await look(api, pipeline, tables)
      return target === undefined ? null : { now: String(rows[0]?.now), changes }
    },
    adoption: async (pipeline, tables) => adoption(api, pipeline, tables, await look(api, pipeline, tables)),
    contraction: async (pipeline, tables, column) =>
      contraction(api, pipeline, tables, column, await look(api, pipeline, tables)),
  }
}
