import type { KeptRow, Mode } from './modes.ts'
import type { Cells, World } from './world.ts'

/** A publication as the ledger has it. Times are microseconds. */
export type Publication = {
  readonly event: 'published' | 'restored'
  readonly run: string
  readonly attempt: string
  readonly version: bigint
  readonly scope: readonly string[]
  /** How many publications there were when it was planned, as it says itself. */
  readonly baseSeq: number
  /** The version that was brought back. */
  readonly restores: string | null
  /** A rollback held the target before it, and nobody had released it. */
  readonly whileHeld: boolean
}

/** Everything that a verdict is about, as it lies in the tables. */
export type Found = {
  readonly head: readonly {
    readonly seq: number
    readonly version: bigint
    readonly run: string
    readonly attempt: string
    readonly held: boolean
  }[]
  /** In the order in which their transactions began; one that began before another of its target ended was aborted. */
  readonly publications: readonly Publication[]
  readonly rows: readonly KeptRow[]
  readonly history: readonly KeptRow[]
}

/** Reads a target with plain SQL: the head, the ledger's publications, the table, its history. What is not there yet is empty. */
export async function readFound(world: World, mode: Mode): Promise<Found> {
  const columns = 'CAST(dato AS STRING) AS dato, id, gen, verdi, UNIX_MICROS(version) AS version'
  const [head, events, rows, history] = await Promise.all([
    world.sql(`SELECT seq, UNIX_MICROS(version) AS version, run, attempt, held FROM \`chaos.ut_etl.head__${mode.name}\``),
    world.sql(
      `SELECT event, run, attempt, UNIX_MICROS(version) AS version, TO_JSON_STRING(scope) AS scope, base_seq, message FROM \`chaos.ut_etl.runs\` WHERE event IN ('published', 'restored', 'released') AND target = 'chaos.ut.${mode.name}' ORDER BY logged_at`,
    ),
    world.sql(`SELECT ${columns}, CAST(NULL AS STRING) AS op FROM \`chaos.ut.${mode.name}\``),
    world.sql(
      `SELECT ${columns}, _op AS op FROM \`chaos.ut.${mode.name}__history\` WHERE version > TIMESTAMP '1970-01-01 00:00:00+00'`,
    ),
  ])
  return {
    head: (head ?? []).map(cells => ({
      seq: Number(cells.seq),
      version: BigInt(cells.version ?? 0),
      run: cells.run ?? '',
      attempt: cells.attempt ?? '',
      held: cells.held === 'true',
    })),
    publications: publicationsOf(events ?? []),
    rows: (rows ?? []).map(keptRow),
    history: (history ?? []).map(keptRow),
  }
}

/** How many publications a target has had. */
export async function publicationCount(world: World, mode: Mode): Promise<number> {
  const rows = await world.sql(
    `SELECT COUNT(*) AS n FROM \`chaos.ut_etl.runs\` WHERE event IN ('published', 'restored') AND target = 'chaos.ut.${mode.name}'`,
  )
  return Number(rows?.[0]?.n ?? 0)
}

/** The table alone, for a look in the middle of things. */
export async function readRows(world: World, mode: Mode): Promise<readonly KeptRow[]> {
  const rows = await world.sql(
    `SELECT CAST(dato AS STRING) AS dato, id, gen, verdi, UNIX_MICROS(version) AS version, CAST(NULL AS STRING) AS op FROM \`chaos.ut.${mode.name}\``,
  )
  return (rows ?? []).map(keptRow)
}

/** Microseconds of a TIMESTAMP's text; 0 for what is none. */
export function microsOf(text: string): bigint {
  const [, seconds, fraction = ''] = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(text) ?? []
  if (seconds === undefined) return 0n
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

function publicationsOf(events: readonly Cells[]): readonly Publication[] {
  let isHeld = false
  return events.flatMap(cells => {
    const publication = cells.event === 'released' ? [] : [publicationOf(cells, isHeld)]
    isHeld = cells.event === 'restored' || (isHeld && cells.event !== 'released')
    return publication
  })
}

function publicationOf(cells: Cells, isHeld: boolean): Publication {
  return {
    whileHeld: isHeld,
    event: cells.event === 'restored' ? 'restored' : 'published',
    run: cells.run ?? '',
    attempt: cells.attempt ?? '',
    version: BigInt(cells.version ?? 0),
    scope: [...(cells.scope ?? '').matchAll(/\d{4}-\d\d-\d\d/g)].map(([date]) => date),
    baseSeq: Number(cells.base_seq),
    restores: cells.event === 'restored' ? (cells.message ?? null) : null,
  }
}

function keptRow(cells: Cells): KeptRow {
  return {
    dato: cells.dato ?? '',
    id: Number(cells.id),
    gen: Number(cells.gen),
    verdi: cells.verdi ?? '',
    version: cells.version ?? '',
    op: cells.op ?? null,
  }
}
