import { expect, test } from 'vitest'
import { createConflicts } from '../../../src/local/sql/conflicts.ts'

const table = (name: string) => ({ project: 'P', dataset: 'D', table: name })
const aborted = /^Transaction is aborted due to concurrent update against table P:D\.a\. Transaction ID: /

test('a table mutated by an open transaction is closed to the others until that one ends', () => {
  const conflicts = createConflicts()
  const [first, second] = [conflicts.begin(), conflicts.begin()]
  first.touch('mutate', table('a'), 'a')
  expect(() => second.touch('mutate', table('a'), 'a')).toThrow(aborted)
  second.touch('mutate', table('b'), 'b')
  first.rollback()
  second.touch('mutate', table('a'), 'a')
})

test('a mutation committed after the snapshot of a transaction cancels it when it mutates the same table', () => {
  const conflicts = createConflicts()
  const [first, second] = [conflicts.begin(), conflicts.begin()]
  first.touch('mutate', table('a'), 'a')
  first.commit()
  expect(() => second.touch('mutate', table('a'), 'a')).toThrow(aborted)
  conflicts.begin().touch('mutate', table('a'), 'a')
})

test('a rolled back mutation cancels nobody', () => {
  const conflicts = createConflicts()
  const [first, second] = [conflicts.begin(), conflicts.begin()]
  first.touch('mutate', table('a'), 'a')
  first.rollback()
  second.touch('mutate', table('a'), 'a')
})

test('a transaction may mutate a table several times', () => {
  const claim = createConflicts().begin()
  claim.touch('mutate', table('a'), 'a')
  claim.touch('mutate', table('a'), 'a')
  claim.commit()
})

test('who waits for a table wakes up when its last open mutation ends, or when the job is cancelled', async () => {
  const conflicts = createConflicts()
  const claim = conflicts.begin()
  claim.touch('mutate', table('a'), 'a')
  const order: string[] = []
  const controller = new AbortController()
  const waiting = conflicts.settled('a', new AbortController().signal).then(() => order.push('settled'))
  const cancelled = conflicts.settled('a', controller.signal).then(() => order.push('cancelled'))
  await conflicts.settled('b', controller.signal)
  controller.abort()
  await cancelled
  order.push('commit')
  claim.commit()
  await waiting
  expect(order).toEqual(['cancelled', 'commit', 'settled'])
})

test('appends meet with nothing but a new definition, which waits until nobody writes and closes the table to older writers', async () => {
  const conflicts = createConflicts()
  const [first, second, third, fourth] = [conflicts.begin(), conflicts.begin(), conflicts.begin(), conflicts.begin()]
  first.touch('append', table('a'), 'a')
  second.touch('append', table('a'), 'a')
  third.touch('mutate', table('a'), 'a')
  third.rollback()
  expect(() => fourth.touch('define', table('a'), 'a')).toThrow(aborted)
  const order: string[] = []
  const waiting = conflicts.settled('a', new AbortController().signal, 'append').then(() => order.push('settled'))
  await conflicts.settled('a', new AbortController().signal)
  first.commit()
  order.push('first')
  second.commit()
  await waiting
  expect(order).toEqual(['first', 'settled'])
  const [old, define] = [conflicts.begin(), conflicts.begin()]
  define.touch('define', table('a'), 'a')
  expect(() => old.touch('append', table('a'), 'a')).toThrow(aborted)
  define.commit()
  expect(() => old.touch('append', table('a'), 'a')).toThrow(aborted)
  conflicts.begin().touch('append', table('a'), 'a')
})
