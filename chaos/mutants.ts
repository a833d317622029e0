import type { scenarios } from './scenarios.ts'

/** A deliberate mistake: texts of the program that are replaced, each of which must stand there exactly once; and what must catch it. */
export type Mutant = {
  readonly what: string
  readonly scenario: keyof typeof scenarios
  readonly edits: readonly (readonly [file: string, from: string, to: string])[]
}

const publish = 'src/adapters/bigquery/publish.ts'
const body = 'src/adapters/bigquery/body.ts'
const engine = 'src/engine/publish.ts'

const always = "const always = `${restores === null ? 'NOT held AND ' : ''}version < @version AND run != @run`"
const last = "  return write.mode === 'replace' && restores === null ? always : `${always} AND seq = @base_seq${at}`"
const update = /* the lock */ `UPDATE \${head}
   SET seq = seq + 1, version = @version, run = @run, attempt = @attempt,
       cursor = @cursor_to\${at}, schema_hash = @schema_hash\${at}, published_at = CURRENT_TIMESTAMP()\${held}
 WHERE \${fence(publication, at)};\``

/** The mistakes that the proof must catch: without this list, `0 findings` could be said of a harness that sees nothing. */
export const mutants: readonly Mutant[] = [
  {
    what: 'no fence',
    scenario: 'zombie',
    edits: [[publish, ` WHERE \${fence(publication, at)};`, ` WHERE TRUE OR \${fence(publication, at)};`]],
  },
  {
    what: 'fence on the row of the run itself',
    scenario: 'zombie',
    edits: [[publish, always, "const always = `${restores === null ? 'NOT held AND ' : ''}(run != @run OR version = @version)`"]],
  },
  { what: 'older version allowed', scenario: 'zombie', edits: [[publish, 'version < @version AND run != @run', 'run != @run']] },
  {
    what: 'a hold is not looked at',
    scenario: 'held',
    edits: [[publish, "${restores === null ? 'NOT held AND ' : ''}version", 'version']],
  },
  { what: 'no base in the fence: merge', scenario: 'staleBase', edits: [[publish, last, '  return always']] },
  { what: 'no base in the fence: partition', scenario: 'staleSlices', edits: [[publish, last, '  return always']] },
  {
    what: 'check without lock',
    scenario: 'siblings',
    edits: [
      [publish, update, '`'],
      [publish, 'LOGICAL_AND(attempt = @attempt AND seq = ${before} + 1)', 'LOGICAL_AND(version < @version AND run != @run)'],
      [
        publish,
        `  SET outcome = 'published';`,
        `  UPDATE \${parts[0]?.head} SET seq = seq + 1, version = @version, run = @run, attempt = @attempt WHERE TRUE;
  SET outcome = 'published';`,
      ],
    ],
  },
  { what: 'the ledger is not asked', scenario: 'forgotten', edits: [[publish, '\\n   AND ${notYet(part)}', '']] },
  {
    what: 'commit event outside the transaction',
    scenario: 'secondCommit',
    edits: [
      [
        publish,
        "${parts.map(part => `${body(part.publication)}\\n${entry(part)}`).join('\\n')}\n  COMMIT TRANSACTION;",
        "${parts.map(part => body(part.publication)).join('\\n')}\n  COMMIT TRANSACTION;\n  BEGIN TRANSACTION;\n${parts.map(entry).join('\\n')}\n  COMMIT TRANSACTION;",
      ],
    ],
  },
  {
    what: 'INSERT by position',
    scenario: 'otherOrder',
    edits: [
      [
        body,
        'return `INSERT INTO ${literal.table(target)} (${names(columns)}, version)',
        'return `INSERT INTO ${literal.table(target)}',
      ],
    ],
  },
  {
    what: 'DELETE after INSERT',
    scenario: 'plain',
    edits: [
      [
        body,
        'return [truncated(tables.target), filled(publication, tables.target), ...kept(publication)]',
        'return [filled(publication, tables.target), truncated(tables.target), ...kept(publication)]',
      ],
    ],
  },
  {
    what: 'retry after a conflict without reading the head',
    scenario: 'conflictOnBase',
    edits: [
      [
        engine,
        '      const published = await byThisRun(plan, ports.warehouse)\n      if (published !== undefined) return published\n    }',
        '      if (tried === 0) publications = publications.map(each => ({ ...each, baseSeq: each.baseSeq + 1n }))\n    }',
      ],
    ],
  },
  { what: 'job id used again after a failure', scenario: 'conflict', edits: [[engine, 'hooks.next()', '1']] },
  {
    what: 'stage named by the run',
    scenario: 'halfStaged',
    edits: [
      ['src/engine/stage.ts', 'identity.attempt : ', 'identity.run : '],
      [
        'src/adapters/bigquery/stage.ts',
        '      if (!isDuplicate(error) || number === 50) throw',
        '      if (isDuplicate(error)) return { project, dataset, table }\n      if (number === 50) throw',
      ],
    ],
  },
  {
    what: 'a stage is taken up that was made for another base',
    scenario: 'oldStage',
    edits: [['src/engine/resume.ts', ' &&\n    row.baseSeq === (now.head?.seq ?? 0n)', '']],
  },
  {
    what: 'a lost publication is told as published',
    scenario: 'zombie',
    edits: [['src/engine/run.ts', "  if (outcome === 'published') {", "  if (outcome === 'published' || outcome === 'lost') {"]],
  },
  {
    what: 'no answer after the submit is told as not published',
    scenario: 'silence',
    edits: [[engine, '        return await foundOut(plan, submitted, ports.warehouse, error)', '        throw error']],
  },
]
