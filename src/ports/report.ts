import type { RunEvent } from '../domain/event.ts'

/** Where a run says what it does: a terminal, or JSON lines. Never throws. */
export type Report = { event(event: RunEvent): void }
