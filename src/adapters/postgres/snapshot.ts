import { connect, type Reach, type Session } from './session.ts'

/** All reads of a run see a database as it was at one moment. */
export type Snapshots = {
  /** A session inside of the snapshot of its database, which the first one takes. It is given back by `free`. */
  session(database: string, signal: AbortSignal): Promise<{ readonly session: Session; free(isWhole: boolean): Promise<void> }>
  /** Ends all sessions, and with them the snapshots. */
  end(): Promise<void>
}

type Shared = { readonly keeper: Session; readonly id: string; isBusy: boolean }

/**
 * The first session of a database keeps its snapshot (PostgreSQL: 9.28.5 Snapshot Synchronization Functions) and reads as well; further ones join while it is busy.
 */
export function createSnapshots(reach: Reach): Snapshots {
  const shared = new Map<string, Promise<Shared>>()
  const others = new Set<Session>()
  const take = async (database: string, signal: AbortSignal): Promise<Shared> => {
    const keeper = await connect(reach, database, signal)
    try {
      await keeper.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      const { rows } = await keeper.query('SELECT pg_export_snapshot() AS id')
      return { keeper, id: rows[0].id, isBusy: false }
    } catch (error) {
      await keeper.end()
      throw error
    }
  }
  return {
    async session(database, signal) {
      let taking = shared.get(database)
      if (taking === undefined) {
        taking = take(database, signal)
        shared.set(database, taking)
        taking.catch(() => shared.delete(database))
      }
      const one = await taking
      if (!one.isBusy) {
        one.isBusy = true
        return {
          session: one.keeper,
          // A read that was left in the middle leaves a connection that nobody can use.
          async free(isWhole) {
            one.isBusy = !isWhole
          },
        }
      }
      const session = await connect(reach, database, signal)
      others.add(session)
      const free = async () => {
        others.delete(session)
        await session.end()
      }
      try {
        await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        // It is no parameter: the server's own text, of digits, letters and dashes.
        await session.query(`SET TRANSACTION SNAPSHOT '${one.id.replaceAll("'", '')}'`)
        return { session, free }
      } catch (error) {
        await free()
        throw error
      }
    },
    async end() {
      const keepers = [...shared.values()]
      shared.clear()
      await Promise.all([...others].map(session => session.end()))
      others.clear()
      for (const keeper of keepers) await keeper.then(one => one.keeper.end()).catch(() => {})
    },
  }
}
