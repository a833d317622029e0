import { datetimeOf } from '../../googlesql/time.ts'
import { now as milliseconds } from '../clock.ts'
import { BigQueryError, type TableMeta } from '../contract.ts'
import { begin as beginIn, commit as commitIn, isConflict, rollback as rollbackIn, transactionOf } from '../duck.ts'
import type { Claim, Touch } from './conflicts.ts'
import type { Session } from './session.ts'

/**
 * The work of one statement: it says which table it has written to, if any, and in what way. What must not even be begun while others write there
 * is reserved first; that throws where it may not be yet.
 */
export type Work<T> = (now: string, reserve: Reserve) => Promise<{ readonly result: T; readonly wrote?: Wrote }>
export type Reserve = (wrote: Wrote) => void
type Wrote = { readonly table: TableMeta; readonly how: Touch }

/**
 * BigQuery: Multi-statement transactions: "support snapshot isolation. During a transaction, all reads return a consistent snapshot of the tables";
 * "A query can contain multiple transactions, but they cannot be nested." Throws invalidQuery.
 */
export async function begin(session: Session): Promise<void> {
  if (session.transaction !== undefined)
    throw new BigQueryError(
      'invalidQuery',
      'Transaction control failed: a transaction is already in progress; nested transactions are not supported',
      'query',
    )
  const claim = session.conflicts.begin()
  session.transaction = { claim, now: currentTimestamp() }
  await takeSnapshot(session)
}

/** Makes the open transaction's changes visible, all at once. Throws invalidQuery; then nothing of it stays. */
export async function commit(session: Session): Promise<void> {
  const transaction = session.transaction
  if (transaction === undefined)
    throw new BigQueryError('invalidQuery', 'Transaction control failed: there is no transaction in progress to commit', 'query')
  await session.request.beforeCommit?.()
  stopIfAsked(session)
  try {
    await end(session, commitIn)
  } catch (error) {
    throw isConflict(error) && transaction.lastMutated ? transaction.claim.aborted(transaction.lastMutated.ref) : error
  }
  transaction.claim.commit()
  session.transaction = undefined
}

/** Undoes the open transaction. */
export async function rollback(session: Session): Promise<void> {
  const transaction = session.transaction
  if (transaction === undefined)
    throw new BigQueryError(
      'invalidQuery',
      'Transaction control failed: there is no transaction in progress to roll back',
      'query',
    )
  session.transaction = undefined
  await undo(session)
  transaction.claim.rollback()
}

/**
 * Runs a statement that changes rows: within the open transaction, else in one of its own. Outside of a transaction it waits its turn and is tried
 * again (BigQuery: "Conflicting DML statements that run outside of a transaction are queued to run later, subject to queuing limits").
 */
export async function change<T>(session: Session, work: Work<T>): Promise<T> {
  const open = session.transaction
  if (open !== undefined) {
    const { result, wrote } = await attempt(session, open.claim, reserve => work(open.now, reserve))
    if (wrote?.how === 'mutate') open.lastMutated = wrote.table
    return result
  }
  for (let tries = 1; ; tries++) {
    stopIfAsked(session)
    const claim = session.conflicts.begin()
    let target: Wrote | undefined
    try {
      await takeSnapshot(session)
      const done = await attempt(
        session,
        claim,
        reserve => work(currentTimestamp(), reserve),
        wrote => {
          target = wrote
        },
      )
      await end(session, commitIn)
      claim.commit()
      return done.result
    } catch (error) {
      await undo(session)
      claim.rollback()
      const conflict = isConflict(error) || isAborted(error)
      if (!conflict || tries === 20) throw error
      if (target !== undefined)
        await session.conflicts.settled(
          target.table.physical,
          session.request.signal,
          target.how === 'define' ? 'append' : 'mutate',
        )
      else await new Promise(resolve => setTimeout(resolve, 5 * tries))
    }
  }
}

/** Runs reads that belong together on one snapshot: that of the open transaction, else one of their own. */
export async function onSnapshot<T>(session: Session, read: () => Promise<T>): Promise<T> {
  if (session.isolated) return read()
  await takeSnapshot(session)
  try {
    return await read()
  } finally {
    await undo(session)
  }
}

/** Waits for the evaluator no longer than the job isn't cancelled; throws `stopped` then. The evaluator itself can't be stopped in the middle. */
export async function unlessStopped<T>(session: Session, work: Promise<T>): Promise<T> {
  const { signal } = session.request
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(stoppedError())
  signal.addEventListener('abort', stop, { once: true })
  work.catch(() => undefined)
  try {
    stopIfAsked(session)
    return await Promise.race([work, stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Throws `stopped` when the job was cancelled. */
export function stopIfAsked(session: Session): void {
  if (session.request.signal.aborted) throw stoppedError()
}

const stoppedError = () => new BigQueryError('stopped', 'Job execution was cancelled: User requested cancellation')

/** The server's clock as a TIMESTAMP text. */
export function currentTimestamp(): string {
  return `${datetimeOf(BigInt(milliseconds()) * 1000n)}Z`
}

async function attempt<T>(
  session: Session,
  claim: Claim,
  run: (reserve: Reserve) => ReturnType<Work<T>>,
  note: (wrote: Wrote) => void = () => {},
): ReturnType<Work<T>> {
  const touch: Reserve = wrote => {
    note(wrote)
    claim.touch(wrote.how, wrote.table.ref, wrote.table.physical)
    session.written.set(wrote.table.physical, wrote.table)
    const { connection, kept } = session.catalogue
    kept.sizes.changing(connection, wrote.table.physical)
    kept.writes.changing(connection, wrote.table.physical)
  }
  let done: Awaited<ReturnType<Work<T>>>
  try {
    done = await run(touch)
  } catch (error) {
    const table = error instanceof Error && 'table' in error ? (error.table as TableMeta) : undefined
    if (table !== undefined) note({ table, how: 'mutate' })
    if (table !== undefined && session.transaction !== undefined && isConflict(error)) throw claim.aborted(table.ref)
    throw error
  }
  if (done.wrote !== undefined) touch(done.wrote)
  return done
}

// DuckDB takes its snapshot with the first look into the file, not with BEGIN.
async function takeSnapshot(session: Session): Promise<void> {
  const { connection } = session.catalogue
  await beginIn(connection)
  session.isolated = true
  await connection.run('SELECT 1 FROM _catalogue.tables LIMIT 1')
  const transaction = transactionOf(connection)
  if (transaction) transaction.hasSnapshot = true
}

async function end(session: Session, how: typeof commitIn): Promise<void> {
  await how(session.catalogue.connection)
  session.isolated = false
}

async function undo(session: Session): Promise<void> {
  await end(session, rollbackIn).catch(() => undefined)
  session.isolated = false
}

function isAborted(error: unknown): boolean {
  return error instanceof BigQueryError && error.message.startsWith('Transaction is aborted')
}
