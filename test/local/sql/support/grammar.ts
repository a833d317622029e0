import fc from 'fast-check'
import type { Field, FieldType, Value } from '../../../../src/googlesql/field.ts'
import { typeName } from '../../../../src/googlesql/types.ts'

const plain: readonly FieldType[] = ['STRING', 'BYTES', 'INT64', 'BOOL', 'NUMERIC', 'DATE', 'TIME', 'DATETIME', 'TIMESTAMP']

/** The table of the generated queries: two columns of each type that is compared, one of each other. */
export const schema: Field[] = [
  ...[...plain, 'FLOAT64' as const].flatMap(type =>
    [`${type.toLowerCase()}_1`, `${type.toLowerCase()}_2`].map(name => ({ name, type, mode: 'NULLABLE' as const })),
  ),
  { name: 'bignumeric_1', type: 'BIGNUMERIC', mode: 'NULLABLE' },
  { name: 'json_1', type: 'JSON', mode: 'NULLABLE' },
  { name: 'list', type: 'INT64', mode: 'REPEATED' },
  { name: 'record', type: 'RECORD', mode: 'NULLABLE', fields: [{ name: 'x', type: 'INT64', mode: 'NULLABLE' }] },
]

const of = (...types: FieldType[]) => schema.filter(field => types.includes(field.type) && field.mode !== 'REPEATED')
const comparable = of(...plain, 'FLOAT64')
const groupable = of(...plain)
const one = (fields: readonly Field[]) => fc.constantFrom(...fields)
const operator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=')

/** A value as GoogleSQL writes it in a query. */
export function written(value: Value, field: Field): string {
  if (value === null) return `CAST(NULL AS ${typeName(field)})`
  switch (field.type) {
    case 'STRING':
      return text(String(value))
    case 'BYTES':
      return `b'${[...(value as Uint8Array)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`
    case 'FLOAT64':
      return `CAST('${Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf')}' AS FLOAT64)`
    case 'BOOL':
      return String(value)
    case 'INT64':
      return `(${value})`
    default:
      return `${field.type} '${value}'`
  }
}

/** A condition of the closed grammar over the columns of the table; `values` gives literals of a column. */
export function condition(values: (field: Field) => fc.Arbitrary<Value>): fc.Arbitrary<string> {
  const literal = (field: Field) => values(field).map(value => written(value, field))
  const twin = (field: Field) =>
    fc.constantFrom(...schema.filter(other => other.type === field.type && other.mode === field.mode)).map(other => other.name)
  const leaf = fc.oneof(
    one(comparable).chain(field =>
      fc.tuple(operator, fc.oneof(literal(field), twin(field))).map(([sign, other]) => `${field.name} ${sign} ${other}`),
    ),
    one(groupable).chain(field =>
      fc
        .array(literal(field), { minLength: 1, maxLength: 4 })
        .chain(list => fc.constantFrom('IN', 'NOT IN').map(word => `${field.name} ${word} (${list.join(', ')})`)),
    ),
    one(groupable).chain(field =>
      fc.tuple(literal(field), literal(field)).map(([low, high]) => `${field.name} BETWEEN ${low} AND ${high}`),
    ),
    one(schema.filter(field => field.mode !== 'REPEATED')).chain(field =>
      fc.constantFrom('IS NULL', 'IS NOT NULL').map(word => `${field.name} ${word}`),
    ),
    one(groupable).chain(field => twin(field).map(other => `${field.name} IS DISTINCT FROM ${other}`)),
    one(of('BOOL')).map(field => field.name),
    one(of('STRING', 'BYTES')).chain(field =>
      fc.tuple(operator, fc.integer({ min: 0, max: 5 })).map(([sign, n]) => `LENGTH(${field.name}) ${sign} ${n}`),
    ),
    one(of('STRING')).chain(field => pattern.map(each => `REGEXP_CONTAINS(${field.name}, ${text(each)})`)),
    one(of('STRING')).chain(field =>
      fc.constantFrom('%', 'a%', '_', '%b', '__', 'a_%').map(each => `${field.name} LIKE ${text(each)}`),
    ),
    one(of('STRING')).chain(field =>
      fc.constantFrom('INT64', 'NUMERIC').map(type => `SAFE_CAST(${field.name} AS ${type}) IS NULL`),
    ),
    fc.constant('record.x > 0'),
    one(of('INT64')).chain(field => fc.constantFrom(-7, -1, 1, 2, 3).map(n => `MOD(${field.name}, ${n}) != 0`)),
    one(of('FLOAT64')).chain(field =>
      fc.constantFrom('0.1', '2', '0.5').map(step => {
        const steps = `IF(ABS(${field.name}) < 1e9, ${field.name}, NULL) / CAST('${step}' AS FLOAT64)`
        return `NOT (ABS(${steps} - ROUND(${steps})) < 1e-9)`
      }),
    ),
  )
  return fc.letrec<{ condition: string }>(tie => ({
    condition: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition')).map(([a, word, b]) => `(${a} ${word} ${b})`),
      tie('condition').map(each => `NOT (${each})`),
    ),
  })).condition
}

/** A query of the closed grammar, and whether its rows come in one order only. */
export function query(values: (field: Field) => fc.Arbitrary<Value>): fc.Arbitrary<{ sql: string; ordered: boolean }> {
  const where = fc.option(condition(values), { nil: undefined }).map(each => (each === undefined ? '' : ` WHERE ${each}`))
  const columns = fc.subarray([...schema], { minLength: 1 }).map(fields => fields.map(field => field.name).join(', '))
  const sortable = fc.shuffledSubarray([...comparable], { minLength: 1, maxLength: 3 })
  const orderItem = (field: Field) =>
    fc.constantFrom('', ' ASC', ' DESC', ' ASC NULLS LAST', ' DESC NULLS FIRST').map(word => `${field.name}${word}`)
  const aggregates = fc
    .array(aggregate(values), { minLength: 1, maxLength: 4 })
    .map(list => list.map((each, index) => `${each} AS x${index}`).join(', '))
  return fc.oneof(
    fc
      .tuple(fc.oneof(columns, fc.constant('*'), fc.constant('t.*')), where)
      .map(([list, filter]) => ({ sql: `SELECT ${list} FROM P.D.t AS t${filter}`, ordered: false })),
    fc
      .tuple(
        sortable.chain(fields => fc.tuple(fc.constant(fields), fc.tuple(...fields.map(orderItem)))),
        where,
        fc.integer({ min: 0, max: 4 }),
      )
      .map(([[fields, items], filter, limit]) => ({
        // The whole of each row is in the ORDER BY, so that equal keys can't make two right answers.
        sql: `SELECT ${fields.map(field => field.name).join(', ')} FROM P.D.t${filter} ORDER BY ${items.join(', ')}${limit === 0 ? '' : ` LIMIT ${limit + 3}${limit > 2 ? ' OFFSET 2' : ''}`}`,
        ordered: true,
      })),
    fc.tuple(fc.shuffledSubarray([...groupable], { minLength: 1, maxLength: 3 }), where).map(([fields, filter]) => ({
      sql: `SELECT DISTINCT ${fields.map(each => each.name).join(', ')} FROM P.D.t${filter}`,
      ordered: false,
    })),
    fc
      .tuple(fc.shuffledSubarray([...groupable], { minLength: 1, maxLength: 2 }), aggregates, where)
      .map(([fields, list, filter]) => {
        const keys = fields.map(each => each.name).join(', ')
        return { sql: `SELECT ${keys}, ${list} FROM P.D.t${filter} GROUP BY ${keys}`, ordered: false }
      }),
    fc.tuple(aggregates, where).map(([list, filter]) => ({ sql: `SELECT ${list} FROM P.D.t${filter}`, ordered: false })),
    fc.shuffledSubarray([...groupable], { minLength: 1, maxLength: 2 }).map(fields => {
      const keys = fields.map(each => each.name).join(', ')
      return { sql: `SELECT COUNT(*) AS n FROM (SELECT ${keys} FROM P.D.t GROUP BY ${keys} HAVING COUNT(*) > 1)`, ordered: false }
    }),
  )
}

/** An aggregate of the closed grammar whose value doesn't depend on the order of rows. */
function aggregate(values: (field: Field) => fc.Arbitrary<Value>): fc.Arbitrary<string> {
  const bad = condition(values)
  return fc.oneof(
    fc.constant('COUNT(*)'),
    bad.map(each => `COUNTIF(${each})`),
    bad.map(each => `LOGICAL_AND(${each})`),
    bad.map(each => `LOGICAL_OR(${each})`),
    one(schema.filter(field => field.mode !== 'REPEATED')).map(field => `COUNT(${field.name})`),
    one(groupable).map(field => `COUNT(DISTINCT ${field.name})`),
    one(comparable).chain(field => fc.constantFrom('MIN', 'MAX').map(name => `${name}(${field.name})`)),
    one(of('STRING')).chain(field => fc.constantFrom('MIN', 'MAX').map(name => `${name}(LENGTH(${field.name}))`)),
    one(of('INT64', 'NUMERIC')).map(field => `SUM(IF(${field.name} BETWEEN -1000000 AND 1000000, ${field.name}, NULL))`),
    one(of('INT64')).map(
      field => `MAX(COALESCE(IF(${field.name} BETWEEN -9 AND 9, ${field.name} + 1, NULL), IFNULL(NULLIF(${field.name}, 3), 4)))`,
    ),
    one(of('STRING')).chain(field => fc.constantFrom('INT64', 'NUMERIC').map(type => `MAX(SAFE_CAST(${field.name} AS ${type}))`)),
    fc.tuple(bad, one(groupable)).map(([each, field]) => `MIN(IF(${each}, ${field.name}, NULL))`),
    one(of('TIMESTAMP')).map(field => `MAX(DATE(${field.name}))`),
    one(of('INT64', 'BOOL', 'NUMERIC', 'DATE', 'TIMESTAMP', 'DATETIME', 'TIME')).map(
      field => `MIN(CAST(${field.name} AS STRING))`,
    ),
    one(of('BYTES')).map(field => `MAX(TO_BASE64(${field.name}))`),
    fc
      .tuple(one(groupable.filter(field => field.type !== 'BYTES')), one(of('STRING')))
      .map(
        ([a, b]) =>
          `(SELECT MIN(k) FROM (SELECT CONCAT(CAST(${a.name} AS STRING), ', ', ${b.name}) AS k FROM P.D.t GROUP BY ${a.name}, ${b.name} HAVING COUNT(*) > 1))`,
      ),
  )
}

const pattern = fc.constantFrom(
  'a',
  '^a',
  'b$',
  '^$',
  '.',
  '^.$',
  'a.b',
  '[æøå]',
  '^[a-z]+$',
  '(?i)A',
  '\\d',
  '^\\s*$',
  '\\bab\\b',
  '^\\w+$',
  '[^a]',
)

function text(value: string): string {
  const escaped = [...value].map(each =>
    /[\\'"`]/.test(each)
      ? `\\${each}`
      : each < ' ' || each === '\x7f'
        ? `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`
        : each,
  )
  return `'${escaped.join('')}'`
}
