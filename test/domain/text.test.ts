import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dateProblem, isDate, isDatetime, isDecimal, isTime, isTimestamp } from '../../src/domain/text.ts'

describe('a date', () => {
  test('is every day of the calendar from the year 1 to 9999, and nothing else', async () => {
    const two = fc.integer({ min: 0, max: 40 }).map(part => String(part).padStart(2, '0'))
    const year = fc
      .oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 1, 1900, 2000, 2023, 2024, 9999))
      .map(part => String(part).padStart(4, '0'))
    await fc.assert(
      fc.property(year, two, two, (y, m, d) => {
        const time = new Date(`${y}-01-01T00:00:00Z`)
        time.setUTCMonth(Number(m) - 1, Number(d))
        const exists = y !== '0000' && m !== '00' && Number(m) <= 12 && d !== '00' && time.getUTCMonth() === Number(m) - 1
        expect(isDate(`${y}-${m}-${d}`)).toBe(exists)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    '',
    '2022-1-20',
    '2022-01-20 ',
    ' 2022-01-20',
    '2022/01/20',
    '20220120',
    '２022-01-20',
    '2022-01-20T00:00:00',
    '-022-01-20',
    '2022-01-2x',
    '2022-+1-20',
  ])('is not %j', text => {
    expect(isDate(text)).toBe(false)
  })

  test('that is none has a sentence, with the date that was meant', () => {
    expect(dateProblem('2022-01-20')).toBeUndefined()
    expect(dateProblem('2022-20-01')).toBe('2022-20-01 is no date (month 20). Did you mean 2022-01-20?')
    expect(dateProblem('2022-31-31')).toBe('2022-31-31 is no date (month 31).')
    expect(dateProblem('2023-02-29')).toBe('2023-02-29 is no date (day 29 of month 02).')
    expect(dateProblem('20.01.2022')).toBe('"20.01.2022" is no date (expected year-month-day, such as 2022-01-20)')
  })
})

test('a time has hours, minutes, seconds and at most six digits more', () => {
  for (const text of ['00:00:00', '23:59:59.999999', '06:30:00.1']) expect(isTime(text)).toBe(true)
  for (const text of [
    '24:00:00',
    '23:60:00',
    '23:59:60',
    '06:30',
    '6:30:00',
    '06:30:00.',
    '06:30:00.1234567',
    '06:30:00Z',
    '06:30:00\n',
  ])
    expect(isTime(text)).toBe(false)
})

test('a datetime has a T and no zone; a timestamp ends with Z', () => {
  expect(isDatetime('2022-01-20T06:30:00.5')).toBe(true)
  expect(isTimestamp('0001-01-01T00:00:00Z')).toBe(true)
  expect(isTimestamp('9999-12-31T23:59:59.999999Z')).toBe(true)
  for (const text of ['2022-01-20 06:30:00', '2022-01-20', '2022-02-30T06:30:00', '2022-01-20T06:30:00Z'])
    expect(isDatetime(text)).toBe(false)
  for (const text of ['2022-01-20T06:30:00', '2022-01-20T06:30:00+01:00', '2022-01-20T06:30:00ZZ', '2022-01-20T06:30Z'])
    expect(isTimestamp(text)).toBe(false)
})

test('a decimal has so many digits before and after its point, not counting zeros that say nothing', () => {
  const nines = '9'.repeat(29)
  for (const text of ['0', '-0', '1', '-1.5', '.5', '1.', '000', `${nines}.999999999`, `-000${nines}.999999999000`])
    expect(isDecimal(text, 29, 9)).toBe(true)
  for (const text of [
    '',
    '-',
    '.',
    '-.',
    '+1',
    '1e5',
    '1,5',
    ' 1',
    '1 ',
    '0x1',
    'NaN',
    `1${nines}`,
    '0.0000000001',
    '1.2.3',
    '١',
  ])
    expect(isDecimal(text, 29, 9)).toBe(false)
})
