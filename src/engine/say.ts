import type { RunEvent } from '../domain/event.ts'

type Fields<K extends RunEvent['kind']> = Omit<Extract<RunEvent, { kind: K }>, 'pipeline' | 'run' | 'attempt' | 'kind'>

/** Reports an event of a run; whose it is, the run itself knows. */
export type Say = <K extends RunEvent['kind']>(kind: K, fields: Fields<K>) => void
