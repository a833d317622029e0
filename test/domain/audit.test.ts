import { bq, row } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { auditChecks, auditSql, brokenPromises, notAudited, type Promises } from '../../src/domain/audit.ts'
import type { RowSchema } from '../../src/domain/row.ts'

const stage = { project: 'p', dataset: 'd_etl', table: 'stage__t__9f3c1a' }
const AppsPerEnv = row(
  {
    dato: z.iso.date(),
    env: z.enum(['dev', 'prod']),
    antall: z.int().positive(),
  },
  { key: ['dato', 'env'] },
)
const promises = (
  { columns, key }: typeof AppsPerEnv | RowSchema,
  scope: Promises['scope'] = null,
  elements = false,
): Promises => ({
  columns,
  key,
  scope,
  elements,
  deletions: false,
})
const texts = (answer: Record<string, bigint | string>) =>
  brokenPromises(answer, promises(AppsPerEnv, scope), 10).map(({ text }) => text)
const scope = { column: 'dato', dates: ['2024-01-01', '2024-01-02'] }

describe('the audit', () => {
  test('is one query of aggregates over the stage, word for word', () => {
    expect(auditSql(promises(AppsPerEnv, scope), stage)).toMatchInlineSnapshot(`
      "SELECT
        COUNT(*) AS n,
        COUNTIF(\`dato\` IS NULL) AS c0,
        COUNTIF(\`env\` IS NULL) AS c1,
        COUNTIF(\`env\` NOT IN ('dev', 'prod')) AS c2,
        MIN(IF(\`env\` NOT IN ('dev', 'prod'), \`env\`, NULL)) AS c2_example,
        COUNTIF(\`antall\` IS NULL) AS c3,
        COUNTIF(NOT (\`antall\` > 0)) AS c4,
        MIN(IF(NOT (\`antall\` > 0), \`antall\`, NULL)) AS c4_example,
        COUNTIF(NOT (\`dato\` BETWEEN DATE '2024-01-01' AND DATE '2024-01-02')) AS outside,
        MIN(IF(NOT (\`dato\` BETWEEN DATE '2024-01-01' AND DATE '2024-01-02'), \`dato\`, NULL)) AS outside_example,
        (SELECT COUNT(*) FROM (SELECT \`dato\`, \`env\` FROM \`p.d_etl.stage__t__9f3c1a\` GROUP BY \`dato\`, \`env\` HAVING COUNT(*) > 1)) AS twice,
        (SELECT MIN(k) FROM (SELECT CONCAT(CAST(\`dato\` AS STRING), ', ', \`env\`) AS k FROM \`p.d_etl.stage__t__9f3c1a\` GROUP BY \`dato\`, \`env\` HAVING COUNT(*) > 1)) AS twice_example
      FROM \`p.d_etl.stage__t__9f3c1a\`"
    `)
    expect(auditChecks(promises(AppsPerEnv, scope))).toBe(8)
  })

  test('says in sentences what it found, most telling value included', () => {
    const found = {
      n: 10n,
      c0: 1n,
      c1: 0n,
      c2: 3n,
      c2_example: 'staging',
      c3: 0n,
      c4: 2n,
      c4_example: -1n,
      outside: 1n,
      outside_example: '2024-01-03',
      twice: 2n,
      twice_example: '2024-01-01, dev',
    }
    expect(texts(found)).toEqual([
      'dato: 1 row without a value, it is required',
      'env: 3 rows with another value than dev, prod (for example "staging")',
      'antall: 2 rows not above 0 (for example -1)',
      '1 row outside the slices of this run (for example "2024-01-03")',
      '2 keys stand in more than one row: (dato, env) (for example "2024-01-01, dev")',
    ])
    expect(texts({ n: 9n })).toEqual(['the stage has 9 rows, 10 were staged'])
    expect(texts({ n: 10n })).toEqual([])
  })

  test('never asks for a value of personal data, in a column, a record or a key', () => {
    const Person = row(
      {
        fnr: z.string().length(11).meta({ pii: 'direct' }),
        person: z.object({ name: z.string().min(1), age: z.int().min(0) }).meta({ pii: 'special' }),
      },
      { key: ['fnr'] },
    )
    const sql = auditSql(promises(Person), stage)
    expect(sql).toContain('COUNTIF(LENGTH(`fnr`) > 11)')
    expect(sql).not.toContain('_example')
  })

  test('looks into records, where they are, and into arrays where nobody has', () => {
    const Deep = row({
      inner: z.object({ kind: z.enum(['a']), deeper: z.object({ n: z.int() }).nullable() }).nullable(),
      list: z.array(z.object({ kind: z.enum(['a']) })),
    })
    const sql = auditSql(promises(Deep), stage)
    expect(sql).toContain('COUNTIF(`inner` IS NOT NULL AND `inner`.`kind` IS NULL)')
    expect(sql).toContain("COUNTIF(`inner`.`kind` NOT IN ('a'))")
    expect(sql).toContain('COUNTIF(`inner` IS NOT NULL AND `inner`.`deeper` IS NOT NULL AND `inner`.`deeper`.`n` IS NULL)')
    expect(sql).not.toContain('list')
    const deeper = auditSql(promises(Deep, null, true), stage)
    expect(deeper).toContain('COUNTIF(EXISTS (SELECT 1 FROM UNNEST(`list`) AS e0 WHERE e0 IS NOT NULL AND e0.`kind` IS NULL))')
    expect(deeper).toContain(
      "MIN(IF(EXISTS (SELECT 1 FROM UNNEST(`list`) AS e0 WHERE e0.`kind` NOT IN ('a')), (SELECT MIN(e0.`kind`) FROM UNNEST(`list`) AS e0 WHERE e0.`kind` NOT IN ('a')), NULL))",
    )
  })

  test('says with which SQL to look at the rows, those columns that may be shown', () => {
    const broken = brokenPromises({ n: 10n, c2: 3n, outside: 1n, twice: 2n }, promises(AppsPerEnv, scope), 10)
    const show = { stage, columns: ['dato', 'env'], limit: 20 }
    expect(broken.map(({ rows }) => rows?.(show))).toEqual([
      "SELECT `dato`, `env` FROM `p.d_etl.stage__t__9f3c1a` WHERE `env` NOT IN ('dev', 'prod') LIMIT 20",
      "SELECT `dato`, `env` FROM `p.d_etl.stage__t__9f3c1a` WHERE NOT (`dato` BETWEEN DATE '2024-01-01' AND DATE '2024-01-02') LIMIT 20",
      'SELECT `dato`, `env`, COUNT(*) AS n FROM `p.d_etl.stage__t__9f3c1a` GROUP BY `dato`, `env` HAVING COUNT(*) > 1 LIMIT 20',
    ])
    expect(broken[0]?.rows?.({ ...show, columns: [] })).toMatch(/^SELECT COUNT\(\*\) AS n FROM/)
    expect(broken[2]?.rows?.({ ...show, columns: ['env'] })).toMatch(
      /^SELECT `env`, COUNT\(\*\) AS n FROM .* GROUP BY `dato`, `env`/,
    )
  })

  test('renders hostile enum values and patterns as literals', () => {
    const Hostile = row({ a: z.enum(["x'); DROP TABLE t; --", '\\', '`']), b: z.string().regex(/^\d+'"$/) })
    const sql = auditSql(promises(Hostile), stage)
    expect(sql).toContain("`a` NOT IN ('x\\'); DROP TABLE t; --', '\\\\', '\\`')")
    expect(sql).toContain("NOT REGEXP_CONTAINS(`b`, '^\\\\d+\\'\\\"$')")
  })

  test('has bounds of whole numbers as they are and others as doubles', () => {
    const Numbers = row({
      big: bq.int64().max(9223372036854775807n),
      number: z.number().min(1e-7).lt(1e21),
      step: z.number().multipleOf(0.1),
      five: z.int().multipleOf(5),
    })
    const sql = auditSql(promises(Numbers), stage)
    expect(sql).toContain('NOT (`big` <= 9223372036854775807)')
    expect(sql).toContain("NOT (`number` >= CAST('1e-7' AS FLOAT64))")
    expect(sql).toContain("NOT (`number` < CAST('1e+21' AS FLOAT64))")
    expect(sql).toContain('MOD(`five`, 5) != 0')
  })
})

describe('a rule that the audit leaves out', () => {
  test.each([
    [row({ list: z.array(z.object({ mail: z.email() })) }), 'column list.mail: z.email() has no equal in SQL'],
    [row({ inner: z.object({ mail: z.email() }) }), 'column inner.mail: z.email() has no equal in SQL'],
    [row({ day: z.iso.date().min(3) }), 'column day: the rule minLength says nothing about DATE in SQL'],
  ])('case %# is named', (schema, sentence) => {
    expect(notAudited(schema.columns)).toBe(sentence)
  })

  test('is none where SQL can say them all', () => {
    expect(notAudited(AppsPerEnv.columns)).toBe(undefined)
    expect(
      notAudited(row({ list: z.array(z.object({ n: z.int() })), inner: z.object({ n: z.int().min(1) }).nullable() }).columns),
    ).toBe(undefined)
  })
})
