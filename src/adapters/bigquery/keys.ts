import type { Column, Value } from '../../domain/column.ts'
import { literal } from '../../domain/literal.ts'
import type { KeyFilter } from '../../ports/reader.ts'

/** More values make a text that is slow to parse, and in the end too long: BigQuery takes a query of 1 MB (Quotas: Query jobs). */
const [mostValues, mostCharacters] = [10_000, 500_000]

/** `column IN (…)`; null where the values are too many, or of a type that has no short literal: then all rows are read. */
export function keysCondition({ column, values }: KeyFilter): string | null {
  if (values.length > mostValues) return null
  // NULL equals no key.
  const texts = values.filter(value => value !== null).map(value => valueText(column, value))
  if (texts.length === 0) return 'FALSE'
  const text = `${literal.name(column.name)} IN (${texts.join(', ')})`
  return texts.includes(null) || text.length > mostCharacters ? null : text
}

function valueText({ type }: Column, value: Value): string | null {
  switch (type) {
    case 'STRING':
      return literal.string(String(value))
    case 'INT64':
      return literal.number(String(value))
    case 'DATE':
      return literal.date(String(value))
    case 'TIMESTAMP':
      return literal.timestamp(String(value))
    default:
      return null
  }
}
