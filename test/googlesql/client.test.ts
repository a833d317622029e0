import { afterAll, expect, test } from 'vitest'
import { createGoogleSql } from '../../src/googlesql/analyse.ts'

const google = createGoogleSql()
afterAll(() => google.close())

test('what the evaluator refuses without a word is said to have no reason', async () => {
  const targets = [{ name: 'a', type: 'INT64', mode: 'NULLABLE' } as const]
  await expect(google.analyse('SELECT 1 AS a UNION ALL SELECT 2', { tables: [], targets })).rejects.toMatchObject({
    kind: 'unable',
    message: "Google's evaluator can't do this: it gives no reason",
  })
})
