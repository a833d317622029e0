import { type DestinationStream, pino } from 'pino'
import { messages } from '../../domain/event.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Report } from '../../ports/report.ts'
import { fieldsOf } from './fields.ts'

/** Progress is told at most this often, in milliseconds: five hundred slices are no five hundred lines. */
const pause = 10_000

/**
 * One JSON object a line, as the platform reads them: `message` is a stable literal, `level` a word, `timestamp` ISO 8601, a stack at the top
 * in `stack_trace`. Written at once, so that a process that ends loses nothing. To stdout, if no stream is given.
 */
export function createJsonReport(options: { readonly clock: Clock; readonly stream?: DestinationStream }): Report {
  const { clock, stream = pino.destination({ fd: 1, sync: true }) } = options
  const logger = pino(
    {
      messageKey: 'message',
      base: null,
      timestamp: () => `,"timestamp":"${clock.now().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  )
  let last = Number.NEGATIVE_INFINITY
  return {
    event(event) {
      if (event.kind === 'reading' || (event.kind === 'transformed' && event.done !== event.of)) {
        const now = clock.now().getTime()
        if (now - last < pause) return
        last = now
      }
      const { message, level } = messages[event.kind]
      logger[level](fieldsOf(event), message)
    },
  }
}
