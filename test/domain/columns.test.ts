import { bq, row } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { checkRows } from '../../src/domain/check.ts'
import { columnOf } from '../../src/domain/columns.ts'

const rulesOf = (schema: z.ZodType) => columnOf('f', schema).rules

describe('a zod field is a column', () => {
  test.each([
    ['z.string()', z.string(), 'STRING'],
    ['z.enum', z.enum(['a', 'b']), 'STRING'],
    ['z.literal', z.literal(['a', 'b']), 'STRING'],
    ['z.uuid()', z.uuid(), 'STRING'],
    ['z.email()', z.email(), 'STRING'],
    ['z.url()', z.url(), 'STRING'],
    ['z.int()', z.int(), 'INT64'],
    ['z.int32()', z.int32(), 'INT64'],
    ['z.number().int()', z.number().int(), 'INT64'],
    ['z.number()', z.number(), 'FLOAT64'],
    ['z.float64()', z.float64(), 'FLOAT64'],
    ['z.boolean()', z.boolean(), 'BOOL'],
    ['z.iso.date()', z.iso.date(), 'DATE'],
    ['z.iso.time()', z.iso.time(), 'TIME'],
    ['bq.int64()', bq.int64(), 'INT64'],
    ['bq.numeric()', bq.numeric(), 'NUMERIC'],
    ['bq.bignumeric()', bq.bignumeric(), 'BIGNUMERIC'],
    ['bq.timestamp()', bq.timestamp(), 'TIMESTAMP'],
    ['bq.datetime()', bq.datetime(), 'DATETIME'],
    ['bq.date()', bq.date(), 'DATE'],
    ['bq.time()', bq.time(), 'TIME'],
    ['bq.bytes()', bq.bytes(), 'BYTES'],
    ['bq.json()', bq.json(), 'JSON'],
    ['bq.geography()', bq.geography(), 'GEOGRAPHY'],
  ])('%s', (_, schema, type) => {
    expect(columnOf('f', schema)).toMatchObject({ name: 'f', type, mode: 'REQUIRED' })
    for (const nullable of [z.nullable(schema), z.optional(schema), z.nullish(schema)]) {
      expect(columnOf('f', nullable)).toMatchObject({ type, mode: 'NULLABLE' })
    }
    expect(columnOf('f', z.array(schema))).toMatchObject({ type, mode: 'REPEATED' })
  })

  test('an int64 says that it is a bigint', () => {
    expect(columnOf('f', bq.int64().nullable()).bigint).toBe(true)
    expect(columnOf('f', z.int()).bigint).toBeUndefined()
  })

  test('an object is a record, an array of objects a repeated one', () => {
    const column = columnOf(
      'list',
      z.array(z.object({ name: z.string().nullable(), inner: z.object({ tags: z.array(z.int()) }) })),
    )
    expect(column).toMatchObject({
      type: 'RECORD',
      mode: 'REPEATED',
      fields: [
        { name: 'name', type: 'STRING', mode: 'NULLABLE' },
        { name: 'inner', type: 'RECORD', mode: 'REQUIRED', fields: [{ name: 'tags', type: 'INT64', mode: 'REPEATED' }] },
      ],
    })
  })
})

describe('a check is a rule', () => {
  test.each([
    [z.enum(['a', 'b']), { kind: 'oneOf', values: ['a', 'b'] }],
    [z.literal('x'), { kind: 'oneOf', values: ['x'] }],
    [z.int().positive(), { kind: 'min', value: '0', inclusive: false }],
    [z.int().min(-5), { kind: 'min', value: '-5', inclusive: true }],
    [z.number().lt(0.5), { kind: 'max', value: '0.5', inclusive: false }],
    [z.int().multipleOf(5), { kind: 'multipleOf', value: '5' }],
    [bq.int64().max(2n ** 60n), { kind: 'max', value: '1152921504606846976', inclusive: true }],
    [z.string().min(2), { kind: 'minLength', value: 2 }],
    [z.string().max(9), { kind: 'maxLength', value: 9 }],
    [z.string().regex(/^a$/), { kind: 'pattern', source: '^a$', name: 'text like ^a$' }],
    [z.string().startsWith('a.b'), { kind: 'pattern', source: '^a\\.b', name: "text that starts with 'a.b'" }],
    [z.string().endsWith('$'), { kind: 'pattern', source: '\\$$', name: "text that ends with '$'" }],
    [z.string().includes('(x)'), { kind: 'pattern', source: '\\(x\\)', name: "text with '(x)' in it" }],
  ])('%#: %o', (schema, rule) => {
    expect(rulesOf(schema)).toContainEqual(rule)
  })

  test('both ends of a length, and the bounds of a small integer', () => {
    expect(rulesOf(z.string().length(3))).toStrictEqual([
      { kind: 'minLength', value: 3 },
      { kind: 'maxLength', value: 3 },
    ])
    expect(rulesOf(z.int32())).toStrictEqual([
      { kind: 'min', value: '-2147483648', inclusive: true },
      { kind: 'max', value: '2147483647', inclusive: true },
    ])
    expect(rulesOf(z.int())).toStrictEqual([])
  })

  test('a uuid is as strict as zod', () => {
    const [rule] = rulesOf(z.uuid())
    const pattern = new RegExp(rule?.kind === 'pattern' ? rule.source : '-')
    for (const id of [
      '00000000-0000-0000-0000-000000000000',
      '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
      '6ba7b810-9dad-91d1-80b4-00c04fd430c8',
      'x',
    ]) {
      expect(pattern.test(id)).toBe(z.uuid().safeParse(id).success)
    }
  })

  test.each([
    [z.email(), 'z.email() has no equal in SQL'],
    [z.url(), 'z.url() has no equal in SQL'],
    [z.iso.time({ precision: 3 }), 'z.iso.time() with a pattern or a precision of its own has no equal in SQL'],
    [z.string().regex(/a.b/), 'has a . outside of a class'],
    [z.string().regex(/a/i), 'the flags of /a/i have no equal in SQL'],
    [z.string().includes('x', { position: 3 }), 'includes with a position'],
  ])('%#: or says why SQL can not check it: %s', (schema, why) => {
    expect(columnOf('f', schema).notAuditable).toContain(why)
  })
})

describe('what has no column is refused with what to use', () => {
  test.each([
    [z.date(), 'z.date is no column type. Hint: use z.iso.date() for a day, bq.timestamp() for a point in time'],
    [z.bigint(), 'Hint: use bq.int64()'],
    [z.uint64(), 'Hint: use bq.int64()'],
    [z.float32(), 'z.float32() is no column type. Hint: use z.number()'],
    [z.union([z.string(), z.int()]), 'Hint: a column has one type'],
    [z.map(z.string(), z.string()), 'Hint: use bq.json()'],
    [z.record(z.string(), z.string()), 'Hint: use bq.json()'],
    [z.tuple([z.string()]), 'Hint: use z.object with named fields'],
    [z.any(), 'Hint: use bq.json()'],
    [z.custom<string>(), 'z.custom is no column type.'],
    [z.enum({ one: 1 }), 'an enum of numbers is no column type. Hint: use z.int()'],
    [z.literal(1), 'a literal that is no string'],
    [z.iso.datetime(), 'the string format datetime is no column type. Hint: use z.string().regex(…), or bq.timestamp()'],
    [z.string().transform(Number), 'a schema only describes: do the change in the transform'],
    [z.string().default(''), 'a schema only describes: use .nullable()'],
    [z.string().trim(), 'a schema that changes the value'],
    [z.string().refine(Boolean), '.refine() or .check() is no column type. Hint: the warehouse could not check it'],
    [z.object({ a: z.string() }).refine(Boolean), 'a check on an object is no column type.'],
    [z.object({}), 'z.object without fields'],
    [z.array(z.string()).min(1), 'a check on an array is no column type.'],
    [z.array(z.array(z.string())), 'an array in an array is no column type. Hint: put a z.object between them'],
    [z.array(z.string()).nullable(), 'a nullable array is no column type.'],
    [z.array(z.string().nullable()), 'a nullable array or element is no column type.'],
    [z.object({ a: z.date() }), 'column a: z.date is no column type.'],
    [z.object({ 'a b': z.string() }), "column a b: a column's name has letters a to z, digits and _ only."],
    [z.object({ a: z.string(), A: z.string() }), 'column A stands twice'],
  ])('%#: %o', (schema, sentence) => {
    expect(() => columnOf('f', schema)).toThrow(
      expect.objectContaining({ kind: 'pipeline', message: expect.stringContaining(sentence) }),
    )
  })
})

describe('personal data is marked', () => {
  test('wherever .meta stands, with the description', () => {
    expect(columnOf('f', z.string().meta({ pii: 'direct', description: 'fnr' }).nullable())).toMatchObject({
      pii: 'direct',
      description: 'fnr',
    })
    expect(columnOf('f', z.string().nullable().meta({ pii: 'special' }))).toMatchObject({ pii: 'special', mode: 'NULLABLE' })
    expect(columnOf('f', z.array(z.string().meta({ pii: 'indirect' })))).toMatchObject({ pii: 'indirect', mode: 'REPEATED' })
    expect(columnOf('f', z.string()).pii).toBeUndefined()
  })

  test('for all that is in a marked record', () => {
    const column = columnOf('f', z.array(z.object({ a: z.object({ b: z.string() }) })).meta({ pii: 'direct' }))
    expect(column.fields?.[0]).toMatchObject({ pii: 'direct', fields: [{ name: 'b', pii: 'direct' }] })
  })

  test('by one of three words', () => {
    expect(() => columnOf('f', z.string().meta({ pii: 'yes' }))).toThrow(
      `.meta({ pii: "yes" }) is not known. Hint: use 'direct', 'special' or 'indirect'`,
    )
  })
})

describe('a row', () => {
  test('has a key of required scalars', () => {
    expect(row({ a: z.string(), b: z.int() }, { key: ['b', 'a'] }).key).toStrictEqual(['b', 'a'])
    expect(() => row({ a: z.string().nullable() }, { key: ['a'] })).toThrow('key column a must be a required scalar.')
    expect(() => row({ a: z.object({ b: z.string() }) }, { key: ['a'] })).toThrow('key column a must be a required scalar.')
    expect(() => row({ a: z.array(z.string()) }, { key: ['a'] })).toThrow('key column a must be a required scalar.')
    expect(() => row({ a: z.string() }, { key: ['b' as 'a'] })).toThrow('key column b is not a column of the row.')
  })

  test('has columns, each with a name of its own that BigQuery takes', () => {
    expect(() => row({})).toThrow('row({}) has no columns.')
    expect(() => row({ a: z.string(), A: z.string() })).toThrow('column A stands twice')
    for (const name of ['å', 'a-b', '1a', '', 'a'.repeat(301)])
      expect(() => row({ [name]: z.string() })).toThrow("a column's name has letters a to z")
    for (const name of ['_TABLE_x', '_partitionTime', '_change_type'])
      expect(() => row({ [name]: z.string() })).toThrow('BigQuery keeps names')
    expect(() => row({ ['__proto__']: z.string() })).toThrow('JavaScript keeps this name')
    for (const name of ['constructor', 'toString', 'class', 'row', 't0'])
      expect(() => checkRows(row({ [name]: z.string(), n: z.int() }), [{ n: 1 }])).toThrow(`row 1 › ${name}: expected string`)
  })
})
