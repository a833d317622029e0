import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, column, openBench } from './support/bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
  await bench.table('t', [column('a', 'INT64')], [[1n], [2n], [2n]])
})
afterAll(() => bench.close())

test.each([
  'SELECT 1 AS a UNION ALL SELECT 2',
  'SELECT a FROM P.D.t UNION DISTINCT SELECT 7',
  'SELECT DISTINCT a FROM P.D.t',
  'SELECT a FROM P.D.t EXCEPT DISTINCT SELECT 1',
  '(SELECT a FROM P.D.t)',
  '((SELECT a FROM P.D.t) INTERSECT DISTINCT (SELECT 1))',
  '(SELECT a FROM P.D.t) ORDER BY a DESC LIMIT 1',
  'SELECT a FROM P.D.t ORDER BY a LIMIT 1',
  'WITH w AS (SELECT a FROM P.D.t) SELECT DISTINCT a FROM w UNION ALL (SELECT 3)',
])('CREATE TABLE AS makes the rows that the query gives: %s', async query => {
  await bench.run(`DROP TABLE IF EXISTS P.D.made; CREATE TABLE P.D.made AS ${query}`)
  const made = await bench.rows('SELECT a FROM P.D.made ORDER BY a')
  expect(made.length).toBeGreaterThan(0)
  expect(made).toEqual(await bench.rows(`SELECT a FROM (${query}) ORDER BY a`))
})

test('CREATE TABLE AS coerces the rows of a set operation to the columns that it names', async () => {
  await bench.run(
    'CREATE TABLE P.D.coerced (f FLOAT64, n NUMERIC) AS SELECT a, 2 FROM P.D.t WHERE a = 1 UNION ALL SELECT 5, NULL ORDER BY 1',
  )
  expect(await bench.rows('SELECT f, n FROM P.D.coerced ORDER BY f')).toEqual([
    { f: 1, n: '2' },
    { f: 5, n: null },
  ])
})
