import { describe, expect, test } from 'vitest'
import { createJsonReport } from '../../../src/adapters/report/json.ts'
import { EtlError } from '../../../src/domain/error.ts'
import { messages } from '../../../src/domain/event.ts'
import { everyEvent } from './support.ts'

const clock = { now: () => new Date('2024-02-01T05:30:01.234Z'), sleep: async () => {} }

function lines(error: EtlError): Record<string, unknown>[] {
  const written: string[] = []
  const report = createJsonReport({ clock, stream: { write: text => void written.push(text) } })
  for (const event of everyEvent(error)) report.event(event)
  return written.map(text => {
    expect(text.indexOf('\n')).toBe(text.length - 1)
    return JSON.parse(text) as Record<string, unknown>
  })
}

function thrownByTheAuthor(): Error {
  try {
    JSON.parse('fnr 01017012345')
  } catch (error) {
    return error as Error
  }
  throw new Error('never')
}

describe('a log line', () => {
  test('is one JSON object with a literal message, a level in words and the time', () => {
    for (const line of lines(new EtlError('transform', 'x'))) {
      const { message, level } = messages[line.event as keyof typeof messages]
      expect(line).toMatchObject({
        message,
        level,
        timestamp: '2024-02-01T05:30:01.234Z',
        pipeline: 'apps-per-env',
        run: 'run-1',
        attempt: '9f3c1a',
      })
    }
  })

  test('has what changes in fields of its own', () => {
    const all = lines(new EtlError('transform', 'x'))
    const [planned, waiting, published] = ['planned', 'waiting', 'published'].map(event => all.find(line => line.event === event))
    expect(planned).toMatchObject({
      version: '2024-02-01T05:30:00Z',
      slot: '2024-02-01T05:30:00Z',
      trigger: 'scheduled',
      table: 'p.d.t',
      slices: 2,
    })
    expect(waiting).toMatchObject({ milliseconds: 1235 })
    expect(published).toMatchObject({ rows: 8, slices: 2, unchanged: false })
  })

  test('of a failure has the stack on top: our sentence and frames, never the text of the cause', () => {
    const error = new EtlError('transform', 'the transform threw a SyntaxError.', {
      cause: thrownByTheAuthor(),
      hint: 'see the stack',
    })
    const failed = lines(error).at(-1) ?? {}
    expect(failed).toMatchObject({
      message: 'Run failed',
      level: 'error',
      kind: 'transform',
      reason: 'The transform failed',
      published: false,
    })
    const stack = String(failed.stack_trace)
    expect(stack).toMatch(/^EtlError: the transform threw a SyntaxError\. Hint: see the stack\n {4}at /)
    expect(stack).toContain('caused by SyntaxError\n')
    expect(stack).toContain('thrownByTheAuthor')
    expect(JSON.stringify(failed)).not.toContain('01017012345')
  })
})
