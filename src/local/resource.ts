import { BigQueryError } from './contract.ts'
import type { JsonObject } from './json.ts'

/** What PATCH makes of a resource: null takes a field away, labels are merged one by one, anything else is replaced. */
export function merged(before: JsonObject, patch: JsonObject): JsonObject {
  const after: Record<string, JsonObject[string]> = { ...before }
  for (const [name, value] of Object.entries(patch)) {
    const old = before[name]
    if (value === null) delete after[name]
    else if (name === 'labels' && isObject(old) && isObject(value)) after[name] = merged(old, value)
    else after[name] = name === 'labels' && isObject(value) ? merged({}, value) : value
  }
  return after
}

const isObject = (value: JsonObject[string]): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One page of a list by `maxResults` and `pageToken`. */
export function listing(items: readonly object[], name: string, query: URLSearchParams): object {
  const from = pageStart(query)
  const until = from + (wholeNumber(query, 'maxResults') ?? items.length)
  return { [name]: items.slice(from, until), ...(until < items.length ? { nextPageToken: pageToken(until) } : {}) }
}

/** The place where a page begins. Throws `invalid` for a token that isn't one of ours. */
export function pageStart(query: URLSearchParams): number {
  const token = query.get('pageToken')
  if (!token) return wholeNumber(query, 'startIndex') ?? 0
  const place = /^local-(\d+)$/.exec(token)?.[1]
  if (place === undefined) throw new BigQueryError('invalid', `Invalid page token: ${token}`)
  return Number(place)
}

export const pageToken = (start: number) => `local-${start}`

/** A whole number of the query string, or undefined. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (/^\d+$/.test(text)) return Number(text)
  throw new BigQueryError('invalid', `Invalid value for ${name}: ${text}`)
}
