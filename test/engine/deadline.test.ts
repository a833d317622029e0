import { describe, expect, test } from 'vitest'
import { clock } from '../../src/adapters/clock.ts'
import { EtlError } from '../../src/domain/error.ts'
import { production, scaled } from '../../src/domain/policy.ts'
import type { Trigger } from '../../src/domain/run.ts'
import { jobBegan, jobTime } from '../../src/engine/deadline.ts'

const at = (time: string) => Date.parse(`2026-11-21T${time}Z`)
const plan = (trigger: Trigger, claimed: string | null, slot = '05:30:00') => ({
  identity: { run: 'job', attempt: 'a1b2c3', trigger, slot: `2026-11-21T${slot}Z` },
  claimedAt: claimed === null ? null : `2026-11-21T${claimed}Z`,
})

describe('a Job began', () => {
  test.each<[string, Trigger, string | null, string, string]>([
    ['at its tick, if the pod followed it', 'scheduled', null, '05:30:20', '05:30:00'],
    ['at its tick, if an earlier pod followed it', 'scheduled', '05:30:40', '06:01:00', '05:30:00'],
    ['with its pod, if the controller made it long after the tick', 'scheduled', null, '07:15:00', '07:15:00'],
    ['with its first pod’s claim, if that was long after the tick too', 'scheduled', '07:15:05', '07:40:00', '07:15:05'],
    ['with its pod, if a clock is before the tick', 'scheduled', null, '05:29:58', '05:29:58'],
    ['with its pod, made by hand: the slot is yesterday’s', 'manual', null, '05:31:00', '05:31:00'],
    ['with its first pod’s claim, made by hand', 'manual', '05:31:09.250000', '05:50:00', '05:31:09.250'],
    ['with the process, if that is older than the claim', 'manual', '05:31:09', '05:31:00', '05:31:00'],
  ])('%s', (_, trigger, claimed, process, began) => {
    expect(jobBegan(plan(trigger, claimed), at(process))).toBe(at(began))
  })
})

describe('the time of a Job', () => {
  const policy = scaled(production, 0.002) // the margin is 120 ms
  const settings = (seconds: number, ran: number) => ({
    environment: 'dev',
    project: 'p',
    location: 'europe-north1',
    codeSha: 'c',
    policy,
    deadline: { seconds, processBegan: clock.now().getTime() - ran },
  })
  const told = new EtlError('stopped', 'told to stop.', { where: { step: 'audit' } })

  test('is a stop when less than the margin is left, not before', async () => {
    const time = jobTime(settings(1, 700), clock, new AbortController().signal)
    time.count(plan('manual', null))
    expect(time.signal.aborted).toBe(false)
    const started = clock.now().getTime()
    await new Promise(resolve => time.signal.addEventListener('abort', resolve))
    expect(clock.now().getTime() - started).toBeGreaterThan(100)
    expect(time.explained(told)).toMatchObject({
      kind: 'stopped',
      problem: "stops before publish: 0 s left of the Job's deadline of 1 s.",
      where: { step: 'audit' },
    })
    time.end()
  })

  test('that is over already stops at once', () => {
    const time = jobTime(settings(60, 59_950), clock, new AbortController().signal)
    time.count(plan('manual', null))
    expect(time.signal.aborted).toBe(true)
  })

  test('does not explain another failure, nor a stop that somebody asked for', () => {
    const stop = new AbortController()
    const time = jobTime(settings(60, 0), clock, stop.signal)
    time.count(plan('manual', null))
    stop.abort()
    expect(time.signal.aborted).toBe(true)
    expect(time.explained(told)).toBe(told)
    time.end()
    const over = jobTime(settings(1, 1000), clock, new AbortController().signal)
    over.count(plan('manual', null))
    const audit = new EtlError('audit', 'no.')
    expect(over.explained(audit)).toBe(audit)
  })

  test('has no end where nobody set one', () => {
    const { deadline, ...without } = settings(1, 1000)
    const { signal } = new AbortController()
    const time = jobTime(without, clock, signal)
    time.count(plan('manual', null))
    expect(time.signal).toBe(signal)
    expect(deadline.seconds).toBe(1)
  })
})
