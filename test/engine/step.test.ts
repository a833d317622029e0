import { expect, test } from 'vitest'
import { EtlError } from '../../src/domain/error.ts'
import { step, untilStopped } from '../../src/engine/step.ts'

test('a stop is heard in the middle of a question that hangs', async () => {
  const abort = new AbortController()
  const hanging = untilStopped(() => new Promise(() => undefined), abort.signal)
  abort.abort()
  await expect(hanging).rejects.toMatchObject({ kind: 'stopped' })
})

test('work that was told to stop is not begun', async () => {
  let begun = false
  await expect(untilStopped(async () => (begun = true), AbortSignal.abort())).rejects.toMatchObject({ kind: 'stopped' })
  expect(begun).toBe(false)
})

test('what fails after the stop is nobody’s unhandled rejection', async () => {
  const abort = new AbortController()
  const late = Promise.withResolvers<never>()
  const waiting = untilStopped(() => late.promise, abort.signal)
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ kind: 'stopped' })
  late.reject(new Error('late'))
  await new Promise(resolve => setImmediate(resolve))
})

test('an error gets the place it lacks, innermost first', async () => {
  const inner = step({ step: 'read apps', at: 'row 17' }, async () => {
    throw new EtlError('row', 'expected string, got null.')
  })
  const outer = step({ pipeline: 'p', step: 'stage' }, () => inner)
  await expect(outer).rejects.toThrow('p › read apps › row 17: expected string, got null.')
})

test('the text of a stranger’s error is left out', async () => {
  const failed = step({ step: 'plan' }, async () => {
    throw new TypeError('fnr 99017012345')
  })
  await expect(failed).rejects.toThrow(/plan: TypeError \(a defect/)
  await expect(failed).rejects.not.toThrow(/99017012345/)
})
