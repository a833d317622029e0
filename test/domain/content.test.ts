import { bq, row } from 'nais-etl'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { contentMark, contentSql, isWhole } from '../../src/domain/content.ts'

const stage = { project: 'p', dataset: 'd_etl', table: 'stage__t__9f3c1a' }

test('the hash of a stage is one query, word for word: who changes it makes every table look changed', () => {
  const { columns } = row({
    id: bq.int64(),
    name: z.string().nullable(),
    inner: z.object({ at: bq.timestamp(), tags: z.array(z.string()) }),
    price: z.number(),
  })
  expect(contentSql(columns, stage)).toMatchInlineSnapshot(
    `"SELECT CONCAT('2-', CAST(COUNT(*) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 1, 15)) AS INT64) AS NUMERIC)), 0) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 16, 15)) AS INT64) AS NUMERIC)), 0) AS STRING)) FROM (SELECT TO_HEX(MD5(CONCAT(IFNULL(CAST(\`id\` AS STRING), 'n'), ';', IFNULL(CAST(BYTE_LENGTH(\`name\`) AS STRING), 'n'), ':', IFNULL(\`name\`, ''), IF(\`inner\` IS NULL, 'n', '{'), IFNULL(CAST(UNIX_MICROS(\`inner\`.\`at\`) AS STRING), 'n'), ';', IFNULL(CAST(ARRAY_LENGTH(\`inner\`.\`tags\`) AS STRING), '0'), '[', IFNULL(ARRAY_TO_STRING(ARRAY(SELECT CONCAT(IFNULL(CAST(BYTE_LENGTH(e0) AS STRING), 'n'), ':', IFNULL(e0, '')) FROM UNNEST(\`inner\`.\`tags\`) AS e0 WITH OFFSET AS o0 ORDER BY o0), ''), ''), IFNULL(IF(\`price\` = 0, '0', FORMAT('%.17g', \`price\`)), 'n'), ';'))) AS h FROM \`p.d_etl.stage__t__9f3c1a\`)"`,
  )
})

test('every other type has a text of its own; a row that does not count is left out', () => {
  const { columns } = row({
    flag: z.boolean(),
    n: bq.numeric(),
    big: bq.bignumeric(),
    day: z.iso.date(),
    local: bq.datetime(),
    time: bq.time(),
    bytes: bq.bytes(),
    json: bq.json(),
  })
  expect(contentSql(columns, stage, '_op IS NULL')).toMatchInlineSnapshot(
    `"SELECT CONCAT('2-', CAST(COUNT(*) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 1, 15)) AS INT64) AS NUMERIC)), 0) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 16, 15)) AS INT64) AS NUMERIC)), 0) AS STRING)) FROM (SELECT TO_HEX(MD5(CONCAT(IFNULL(CAST(\`flag\` AS STRING), 'n'), ';', IFNULL(CAST(\`n\` AS STRING), 'n'), ';', IFNULL(CAST(BYTE_LENGTH(\`big\`) AS STRING), 'n'), ':', IFNULL(\`big\`, ''), IFNULL(CAST(\`day\` AS STRING), 'n'), ';', IFNULL(FORMAT_DATETIME('%E4Y-%m-%d %H:%M:%E6S', \`local\`), 'n'), ';', IFNULL(FORMAT_TIME('%H:%M:%E6S', \`time\`), 'n'), ';', IFNULL(TO_HEX(\`bytes\`), 'n'), ';', IFNULL(CAST(BYTE_LENGTH(\`json\`) AS STRING), 'n'), ':', IFNULL(\`json\`, '')))) AS h FROM \`p.d_etl.stage__t__9f3c1a\` WHERE _op IS NULL)"`,
  )
})

test('a table called like one of its columns gets another name', () => {
  const { columns } = row({ stage__t__9f3c1a: z.int() })
  expect(contentSql(columns, stage)).toContain('FROM `p.d_etl.stage__t__9f3c1a` AS `this_table`)')
})

test('arrays three deep count by their number only, and equal hashes say nothing of equal contents', () => {
  const two = z.array(z.object({ y: z.array(z.object({ x: z.int() })) }))
  expect(contentMark(row({ two }).columns)).toBe('2-')
  const three = row({ three: z.array(z.object({ z: two })) }).columns
  expect(contentMark(three)).toBe('2p-')
  expect(contentSql(three, stage)).toContain("IFNULL(CAST(ARRAY_LENGTH(e1.`y`) AS STRING), '0'), '[') FROM UNNEST")
})

test('with a GEOGRAPHY equal hashes say nothing of equal contents', () => {
  const hash = (columns: ReturnType<typeof row>['columns']) => /'(2p?-)'/.exec(contentSql(columns, stage))?.[1] ?? ''
  expect(isWhole(hash(row({ id: z.int() }).columns))).toBe(true)
  expect(isWhole(hash(row({ id: z.int(), inner: z.object({ place: bq.geography() }).nullable() }).columns))).toBe(false)
})
