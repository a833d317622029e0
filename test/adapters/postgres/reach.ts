import { clock } from '../../../src/adapters/clock.ts'
import type { Reach } from '../../../src/adapters/postgres/session.ts'
import { production, scaled } from '../../../src/domain/policy.ts'
import type { TestPostgres } from '../../support/postgres.ts'

/** How a test reaches its Postgres, as a role of its own; waits are a hundredth. */
export function reachOf(server: TestPostgres, role?: string): Reach {
  return { variables: () => ({ URL: server.url('postgres', role) }), policy: scaled(production, 0.01), clock }
}
