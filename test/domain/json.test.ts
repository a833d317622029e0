import { describe, expect, test } from 'vitest'
import { jsonProblem } from '../../src/domain/json.ts'
import { evaluate } from '../../src/googlesql/evaluate.ts'

const kept = [
  'null',
  '""',
  '{"a": [1, 2.5, -0.1], "b": "12345678901234567890123"}',
  '18446744073709551615',
  '-9223372036854775808',
  '1e300',
  '1.50',
  '0.1',
  '-0',
  '1E2',
  '100000000000000000000',
  '"\\"9e999\\""',
]
const refused = [
  '12345678901234567890123',
  '0.1234567890123456789',
  '1e400',
  '{"a": 18446744073709551617}',
  '[0.30000000000000004441]',
]

describe('a JSON text', () => {
  test.each(kept)('%s is kept', text => expect(jsonProblem(text)).toBeUndefined())
  test.each(refused)('%s has a number that would change', text =>
    expect(jsonProblem(text)).toMatch(/neither 64 bits nor a double/),
  )
  test.each(['', '{', "{'a': 1}", 'NaN'])('%s is none', text => expect(jsonProblem(text)).toBe('no JSON'))

  test('is judged as PARSE_JSON judges it, on Google’s evaluator', async () => {
    for (const text of [...kept, ...refused]) {
      const field = { name: 'text', type: 'STRING', mode: 'NULLABLE' } as const
      const parsed = evaluate({
        sql: 'SELECT PARSE_JSON(text) AS value FROM t',
        tables: { t: { schema: [field], rows: [{ text }] } },
      })
      const accepted = await parsed.then(
        () => true,
        () => false,
      )
      expect({ text, accepted }).toEqual({ text, accepted: kept.includes(text) })
    }
  })
})
