import type { Column, Rule } from './column.ts'
import { literal } from './literal.ts'

/** SQL that is true for a value that breaks the rule, NULL or false for NULL; undefined where the rule says nothing about the column's type. */
export function broken(rule: Rule, { type }: Column, value: string): string | undefined {
  const isText = type === 'STRING'
  switch (rule.kind) {
    case 'oneOf':
      return isText ? `${value} NOT IN (${rule.values.map(literal.string).join(', ')})` : undefined
    case 'min':
      // Turned round, so that NaN is refused as zod does.
      return isNumber(type) ? `NOT (${value} ${rule.inclusive ? '>=' : '>'} ${bound(rule.value, type)})` : undefined
    case 'max':
      return isNumber(type) ? `NOT (${value} ${rule.inclusive ? '<=' : '<'} ${bound(rule.value, type)})` : undefined
    case 'multipleOf':
      if (type === 'INT64' && /^\d+$/.test(rule.value)) return `MOD(${value}, ${rule.value}) != 0`
      return isNumber(type) ? offGrid(`CAST(${value} AS FLOAT64)`, bound(rule.value, 'FLOAT64')) : undefined
    case 'minLength':
      return isText ? tooShort(value, rule.value) : undefined
    case 'maxLength':
      return isText ? `LENGTH(${value}) > ${rule.value}` : undefined
    case 'pattern':
      return isText ? `NOT REGEXP_CONTAINS(${value}, ${literal.string(rule.source)})` : undefined
  }
}

/** What is said of rows that break it. */
export function promiseOf(rule: Rule): string {
  switch (rule.kind) {
    case 'oneOf':
      return `with another value than ${rule.values.slice(0, 8).join(', ')}${rule.values.length > 8 ? ', …' : ''}`
    case 'min':
      return `not ${rule.inclusive ? 'at least' : 'above'} ${rule.value}`
    case 'max':
      return `not ${rule.inclusive ? 'at most' : 'below'} ${rule.value}`
    case 'multipleOf':
      return `with no multiple of ${rule.value}`
    case 'minLength':
      return `with fewer than ${rule.value} characters`
    case 'maxLength':
      return `with more than ${rule.value} characters`
    case 'pattern':
      return `that are not ${rule.name}`
  }
}

function isNumber(type: Column['type']): boolean {
  return type === 'INT64' || type === 'FLOAT64'
}

/** Whole numbers stand as they are; the others may have an exponent, which a cast takes. */
function bound(text: string, type: Column['type']): string {
  return type === 'INT64' && /^-?\d+$/.test(text) ? literal.number(text) : `CAST(${literal.string(text)} AS FLOAT64)`
}

/** Doubles are never quite a multiple: nearer than a billionth of a step counts. */
function offGrid(value: string, step: string): string {
  return `NOT (ABS(${value} / ${step} - ROUND(${value} / ${step})) < 1e-9)`
}

/**
 * zod counts UTF-16 units, LENGTH counts characters: one beyond U+FFFF counts for two there. Texts with such characters get the benefit of
 * the doubt, here and in the longest length; rows that passed through Node were counted exactly.
 */
function tooShort(value: string, least: number): string {
  const short = `LENGTH(${value}) < ${least}`
  return least <= 1 ? short : `${short} AND NOT REGEXP_CONTAINS(${value}, ${literal.string('[\\x{10000}-\\x{10FFFF}]')})`
}
