import { isOutsideWindow, refusals } from '../../src/adapters/bigquery/pinned.ts'
import { literal } from '../../src/domain/literal.ts'
import { microsOf, timestampOf } from '../../src/domain/micros.ts'
import { type Check, fails, notLocal, seen } from '../check.ts'
import { expiring, type Names, ours } from '../names.ts'
import { failureIn, said, type World } from '../world.ts'

const [one, other] = ['c25_a', 'c25_b']
const make = (names: Names, name: string) => expiring(names, `CREATE TABLE ${literal.table(ours(names, name))} (n INT64)`)
const fill = (names: Names) => `INSERT INTO ${literal.table(ours(names, one))} VALUES (1)`
const move = (names: Names) => `BEGIN TRANSACTION;
INSERT INTO ${literal.table(ours(names, other))} SELECT n FROM ${literal.table(ours(names, one))};
DELETE FROM ${literal.table(ours(names, one))} WHERE TRUE;
COMMIT TRANSACTION;`
const clock = 'SELECT CURRENT_TIMESTAMP() AS now'
/** As a source's reader writes it. */
const count = (names: Names, name: string, at: string) =>
  `SELECT COUNT(*) AS n FROM ${literal.from(ours(names, name), ['n'], at)}`
const anew = (names: Names) => `DROP TABLE ${literal.table(ours(names, other))};\n${make(names, other)}`
const view = (names: Names) =>
  `CREATE VIEW ${literal.table(ours(names, 'c25_v'))} AS SELECT n FROM ${literal.table(ours(names, one))}`
const policy = (names: Names) =>
  `CREATE ROW ACCESS POLICY smoke ON ${literal.table(ours(names, one))} GRANT TO ('allAuthenticatedUsers') FILTER USING (TRUE)`

/** 25: sources that are read as of one moment. */
export const oneMoment: Check = {
  number: 25,
  title: 'two tables FOR SYSTEM_TIME AS OF one moment of seconds ago: a transaction between the reads is not seen',
  does: 'takes the clock, reads, moves a row from one table to the other in a transaction, reads as of then and as of now; then a moment to come, a table that was made anew, a view, a streamed row and a row policy',
  verifies:
    'Access historical data: FOR SYSTEM_TIME AS OF "references the version of the table that was current at that timestamp", "Invalid snapshot time"; a moment of this very second, streamed rows, a view: [unv]. Row-level security, Time travel: "Other users get an access denied error"',
  otherwise:
    'tables are not read as of one moment: momentOf in src/domain/moment.ts answers null, and docs/sources.md says to join them in one query; another text or reason of a refusal goes into src/adapters/bigquery/pinned.ts',
  cost: { tables: 26 },
  statements: names => [
    make(names, one),
    make(names, other),
    fill(names),
    clock,
    move(names),
    ...[one, other].map(name => count(names, name, names.expires).replace(literal.timestamp(names.expires), "TIMESTAMP '…'")),
    anew(names),
    view(names),
    `POST tables/…/insertAll (${ours(names, one).table})`,
    policy(names),
  ],
  async run(world) {
    const { names, api } = world
    let asked = 0
    const now = async () => String((await world.script(`c25-clock-${++asked}`, clock)).rows[0]?.now)
    const read = async (name: string, at: string) => {
      let n = 'nothing'
      const failure = await failureIn(
        world.script(`c25-read-${++asked}`, count(names, name, at)).then(({ rows }) => {
          n = String(rows[0]?.n)
        }),
      )
      return { n, failure }
    }
    const both = async (at: string) => (await Promise.all([one, other].map(name => read(name, at)))).map(shown).join(' + ')
    await world.script('c25-make-1', make(names, one))
    await world.script('c25-make-2', make(names, other))
    await world.script('c25-fill', fill(names))
    const before = await now()
    const atOnce = await both(before)
    await world.script('c25-move', move(names))
    const after = await now()
    const [past, present] = [await both(before), await both(after)]
    const toCome = await read(one, timestampOf(microsOf(after) + 3_600_000_000n))
    await world.script('c25-anew', anew(names))
    const gone = await read(other, after)
    const evidence = [
      `at once ${atOnce}, afterwards of then ${past}, of now ${present}`,
      `to come: ${shown(toCome)}`,
      `made anew: ${shown(gone)}`,
    ]
    const isKnown = gone.failure !== undefined && isOutsideWindow(gone.failure)
    if (api.local) {
      const isLocal = atOnce === '1 + 0' && present === '0 + 1' && isKnown
      return isLocal ? notLocal(`, which keeps no past (at once ${atOnce}, of now ${present})`) : fails(evidence.join('; '))
    }
    const odd = await odder(world, read, now)
    return seen(
      atOnce === '1 + 0' && past === '1 + 0' && present === '0 + 1' && (gone.failure === undefined || isKnown) && odd.isKnown,
      [...evidence, ...odd.evidence].join('; '),
    )
  },
}

type Read = (name: string, at: string) => Promise<Counted>
type Counted = { readonly n: string; readonly failure: Awaited<ReturnType<typeof failureIn>> }
const shown = ({ n, failure }: Counted) => (failure === undefined ? n : said(failure))

/** What no server of ours has: a view, a streamed row, a row policy. It only tells, but a refusal must be one that the reader knows. */
async function odder(world: World, read: Read, now: () => Promise<string>): Promise<{ isKnown: boolean; evidence: string[] }> {
  const { names, client } = world
  await world.script('c25-view', expiring(names, view(names)))
  const viewed = await read('c25_v', await now())
  const inserted = await failureIn(
    client()
      .dataset(names.dataset)
      .table(ours(names, one).table)
      .insert([{ n: 1 }]),
  )
  const streamed = inserted === undefined ? shown(await read(one, await now())) : said(inserted)
  const made = await failureIn(world.script('c25-policy', policy(names)))
  const guarded = made === undefined ? await read(one, await now()) : undefined
  const isKnown = guarded?.failure === undefined || refusals.has(guarded.failure.reason)
  return {
    isKnown,
    evidence: [
      `a view: ${shown(viewed)}`,
      `a row streamed just before: ${streamed}`,
      `with a row policy: ${guarded === undefined ? `no right to set it (${said(made!)})` : shown(guarded)}`,
    ],
  }
}
