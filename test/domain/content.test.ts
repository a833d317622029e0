import { bq, row } from 'nais-etl'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { contentSql, isWhole } from '../../src/domain/content.ts'

const stage = { project: 'p', dataset: 'd_etl', table: 'stage__t__9f3c1a' }

test('the hash of a stage is one query, word for word: who changes it makes every table look changed', () => {
  const { columns } = row({
    id: bq.int64(),
    name: z.string().nullable(),
    inner: z.object({ at: bq.timestamp(), tags: z.array(z.string()) }),
    price: z.number(),
  })
  expect(contentSql(columns, stage)).toMatchInlineSnapshot(
    `"SELECT CONCAT('2-', CAST(COUNT(*) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 1, 15)) AS INT64) AS NUMERIC)), 0) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 16, 15)) AS INT64) AS NUMERIC)), 0) AS STRING)) FROM (SELECT TO_HEX(MD5(CONCAT(IFNULL(CONCAT(CAST(\`id\` AS STRING), ';'), 'n;'), IFNULL(CONCAT(CAST(BYTE_LENGTH(\`name\`) AS STRING), ':', \`name\`), 'n;'), IF(\`inner\` IS NULL, 'n;', CONCAT('{', IFNULL(CONCAT(CAST(UNIX_MICROS(\`inner\`.\`at\`) AS STRING), ';'), 'n;'), CONCAT(CAST(ARRAY_LENGTH(\`inner\`.\`tags\`) AS STRING), '[', ARRAY_TO_STRING(ARRAY(SELECT IFNULL(CONCAT(CAST(BYTE_LENGTH(e0) AS STRING), ':', e0), 'n;') FROM UNNEST(\`inner\`.\`tags\`) AS e0 WITH OFFSET AS o0 ORDER BY o0), ''), ']'), '}')), IFNULL(CONCAT(IF(\`price\` = 0, '0', FORMAT('%.17g', \`price\`)), ';'), 'n;')))) AS h FROM \`p.d_etl.stage__t__9f3c1a\`)"`,
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
    `"SELECT CONCAT('2-', CAST(COUNT(*) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 1, 15)) AS INT64) AS NUMERIC)), 0) AS STRING), '-', CAST(IFNULL(SUM(CAST(CAST(CONCAT('0x', SUBSTR(h, 16, 15)) AS INT64) AS NUMERIC)), 0) AS STRING)) FROM (SELECT TO_HEX(MD5(CONCAT(IFNULL(CONCAT(CAST(\`flag\` AS STRING), ';'), 'n;'), IFNULL(CONCAT(CAST(\`n\` AS STRING), ';'), 'n;'), IFNULL(CONCAT(CAST(BYTE_LENGTH(\`big\`) AS STRING), ':', \`big\`), 'n;'), IFNULL(CONCAT(CAST(\`day\` AS STRING), ';'), 'n;'), IFNULL(CONCAT(CAST(UNIX_MICROS(TIMESTAMP(\`local\`, 'UTC')) AS STRING), ';'), 'n;'), IFNULL(CONCAT(CAST(UNIX_MICROS(TIMESTAMP(DATETIME(DATE '1970-01-01', \`time\`), 'UTC')) AS STRING), ';'), 'n;'), IFNULL(CONCAT(TO_HEX(\`bytes\`), ';'), 'n;'), IFNULL(CONCAT(CAST(BYTE_LENGTH(\`json\`) AS STRING), ':', \`json\`), 'n;')))) AS h FROM \`p.d_etl.stage__t__9f3c1a\` WHERE _op IS NULL)"`,
  )
})

test('a table called like one of its columns gets another name', () => {
  const { columns } = row({ stage__t__9f3c1a: z.int() })
  expect(contentSql(columns, stage)).toContain('FROM `p.d_etl.stage__t__9f3c1a` AS `this_table`)')
})

test('with a GEOGRAPHY equal hashes say nothing of equal contents', () => {
  const hash = (columns: ReturnType<typeof row>['columns']) => /'(2p?-)'/.exec(contentSql(columns, stage))?.[1] ?? ''
  expect(isWhole(hash(row({ id: z.int() }).columns))).toBe(true)
  expect(isWhole(hash(row({ id: z.int(), inner: z.object({ place: bq.geography() }).nullable() }).columns))).toBe(false)
})
