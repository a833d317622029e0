import { BigQueryError } from './contract.ts'

/** What a client sends: JSON that nobody has looked at yet. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [name: string]: Json | undefined }

type Unread = Json | undefined

/** A JSON object from text. Throws `invalid`. */
export function parseObject(text: string): JsonObject {
  if (text.trim() === '') return {}
  let parsed: Json
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new BigQueryError('invalid', 'Invalid JSON payload received. Unexpected token.')
  }
  return object(parsed)
}

/** An object, or `invalid`. `what` names the place for the message. */
export function object(json: Unread, what = 'The request body'): JsonObject {
  if (typeof json === 'object' && json !== null && !isArray(json)) return json
  throw wrong(what, 'an object')
}

export function array(json: Unread, what: string): readonly Json[] {
  if (isArray(json)) return json
  throw wrong(what, 'an array')
}

export function text(json: Unread, what = 'A value'): string {
  if (typeof json === 'string') return json
  throw wrong(what, 'a string')
}

/** A whole number; the REST API sends int64 as text. */
export function integer(json: Unread, what = 'A value'): number {
  const number = typeof json === 'string' && json.trim() !== '' ? Number(json) : json
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw wrong(what, 'a whole number')
}

export function flag(json: Unread, what = 'A value'): boolean {
  if (typeof json === 'boolean') return json
  if (json === 'true' || json === 'false') return json === 'true'
  throw wrong(what, 'true or false')
}

/** What `read` makes of a value that is there; undefined for one that isn't (or is null). */
export function optional<T>(json: Unread, read: (json: Json, what?: string) => T, what?: string): T | undefined {
  return json === undefined || json === null ? undefined : read(json, what)
}

/** A map from name to text, such as labels. */
export function labels(json: Unread, what = 'labels'): Record<string, string> {
  return Object.fromEntries(Object.entries(object(json, what)).map(([name, value]) => [name, text(value, `${what}.${name}`)]))
}

const isArray = (json: Unread): json is readonly Json[] => Array.isArray(json)
const wrong = (what: string, expected: string) => new BigQueryError('invalid', `Invalid value: ${what} must be ${expected}.`)
