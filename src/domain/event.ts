import type { EtlError } from './error.ts'
import type { Plan } from './plan.ts'

/** What a run says. Each kind has one literal message; all else is fields. */
export type RunEvent = { readonly pipeline: string; readonly run: string; readonly attempt: string } & (
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'created'; readonly tables: readonly string[] }
  | { readonly kind: 'evolved'; readonly table: string; readonly changes: readonly string[] }
  /** `at`: the sources are read as they were then; null: none is. `apart`: what is not of one moment, and why; empty where all is. */
  | { readonly kind: 'moment'; readonly at: string | null; readonly sources: readonly string[]; readonly apart: string }
  | { readonly kind: 'way'; readonly source: string; readonly by: string }
  | { readonly kind: 'reading'; readonly source: string; readonly rows: number }
  | {
      readonly kind: 'transformed'
      readonly slice: string | null
      readonly rowsIn: number
      readonly rowsOut: number
      readonly done: number
      readonly of: number
    }
  | { readonly kind: 'staged'; readonly table: string; readonly rows: number }
  | { readonly kind: 'resumed'; readonly table: string; readonly rows: number }
  | {
      readonly kind: 'audited'
      readonly rows: number
      readonly checks: number
      /** What was compared with the last version; null if nothing was. */
      readonly budget: string | null
      /** What is out of its budget and was let through by --accept. */
      readonly accepted: readonly string[]
    }
  | { readonly kind: 'waiting'; readonly why: string; readonly milliseconds: number }
  | {
      readonly kind: 'published'
      readonly table: string
      readonly version: string
      readonly rows: number
      readonly slices: number | null
      readonly unchanged: boolean
      readonly milliseconds: number
    }
  | { readonly kind: 'postponed'; readonly table: string; readonly what: string; readonly error: EtlError }
  | { readonly kind: 'nothingToDo'; readonly why: string }
  | { readonly kind: 'alreadyPublished'; readonly table: string; readonly by: string; readonly version: string }
  | { readonly kind: 'superseded'; readonly table: string; readonly by: string; readonly version: string }
  | { readonly kind: 'held'; readonly table: string; readonly version: string }
  | { readonly kind: 'failed'; readonly error: EtlError; readonly published: false | 'unknown' }
)

/** An event without whose it is. */
export type Bare<E = RunEvent> = E extends unknown ? Omit<E, 'pipeline' | 'run' | 'attempt'> : never

/** The literal messages (nais groups log lines by message) and their levels. */
export const messages: {
  readonly [K in RunEvent['kind']]: { readonly message: string; readonly level: 'info' | 'warn' | 'error' }
} = {
  planned: { message: 'Run planned', level: 'info' },
  created: { message: 'Tables made', level: 'info' },
  evolved: { message: 'Schema widened', level: 'info' },
  moment: { message: 'Moment of reading', level: 'info' },
  way: { message: 'Way of reading', level: 'info' },
  reading: { message: 'Rows read', level: 'info' },
  transformed: { message: 'Slice transformed', level: 'info' },
  staged: { message: 'Result staged', level: 'info' },
  resumed: { message: 'Stage of an earlier attempt taken up', level: 'info' },
  audited: { message: 'Result audited', level: 'info' },
  waiting: { message: 'Waiting', level: 'info' },
  published: { message: 'Version published', level: 'info' },
  postponed: { message: 'Left to the next run', level: 'warn' },
  nothingToDo: { message: 'Nothing to publish', level: 'info' },
  alreadyPublished: { message: 'This Job has published already', level: 'warn' },
  superseded: { message: 'Superseded by a newer version', level: 'warn' },
  held: { message: 'Target is held', level: 'warn' },
  failed: { message: 'Run failed', level: 'error' },
}
