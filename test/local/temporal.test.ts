import { expect, test } from 'vitest'
import { datetimeMicros, daysOf, secondsMicros, timeMicros, timestampMicros } from '../../src/local/temporal.ts'

test.each([
  ['1970-01-01', 0],
  ['2022-01-20', 19012],
  ['2022-1-2', 18994],
  ['0001-01-01', -719162],
  ['9999-12-31', 2932896],
  ['2024-02-29', 19782],
  ['2023-02-29', undefined],
  ['2022-20-01', undefined],
  ['0000-01-01', undefined],
  ['20220120', undefined],
])('the day %s', (text, days) => expect(daysOf(text)).toBe(days))

test.each([
  ['00:00:00', 0n],
  ['23:59:59.999999', 86_399_999_999n],
  ['10:00:00.5', 36_000_500_000n],
  ['24:00:00', undefined],
  ['10:60:00', undefined],
])('the time %s', (text, micros) => expect(timeMicros(text)).toBe(micros))

test.each([
  ['1970-01-01 00:00:00', 0n],
  ['1969-12-31T23:59:59.5', -500_000n],
  ['2022-01-20', 1_642_636_800_000_000n],
  ['2022-01-20T24:00:00', undefined],
])('the datetime %s', (text, micros) => expect(datetimeMicros(text)).toBe(micros))

test.each([
  ['2022-01-20 00:00:00 UTC', 1_642_636_800_000_000n],
  ['2022-01-20T01:00:00+01:00', 1_642_636_800_000_000n],
  ['2022-01-19 19:00:00-05', 1_642_636_800_000_000n],
  ['2022-01-20T00:00:00.123456Z', 1_642_636_800_123_456n],
  ['9999-12-31 23:59:59.999999+00', 253_402_300_799_999_999n],
  ['0001-01-01 00:00:00+01:00', undefined],
  ['2022-01-20 00:00:00 Mars', undefined],
])('the timestamp %s', (text, micros) => expect(timestampMicros(text)).toBe(micros))

test.each([
  ['1.6426368E9', 1_642_636_800_000_000n],
  ['1642636800', 1_642_636_800_000_000n],
  ['-0.5', -500_000n],
  ['0.0000019', 1n],
  ['1e20', undefined],
  ['abc', undefined],
])('the seconds %s', (text, micros) => expect(secondsMicros(text)).toBe(micros))
