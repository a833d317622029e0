import { cursorText, type Mark, type Marks, type Window } from '../domain/changes.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import type { Plan } from '../domain/plan.ts'
import { changesOf, type Source } from '../domain/source.ts'
import type { Reader, Readers } from '../ports/reader.ts'
import { step } from './step.ts'

/** What is read next of each source that is read by its changes. One after another: an upper bound must be older than every read of the run. */
export async function windowsOf(
  pipeline: NamedPipeline,
  marks: Marks,
  readers: Readers,
  signal: AbortSignal,
): Promise<Plan['windows']> {
  const windows: Record<string, Window> = {}
  for (const [name, source] of Object.entries(pipeline.from)) {
    if (changesOf(source) === null) continue
    const reader = readers[source.kind] as Reader<Source>
    windows[name] = await step({ step: `plan ${name}` }, async () => {
      // Types and columns first: they have sentences of their own.
      await reader.facts(source, signal)
      return reader.window!(source, marks[name] ?? null, signal)
    })
  }
  return windows
}

/** The cursor after a planned run: as far as it reads, and where the others stood. */
export function cursorAfter({ windows, head }: Pick<Plan, 'windows' | 'head'>): string | null {
  const entries = Object.entries(windows)
  if (entries.length === 0) return head?.cursor ?? null
  const marks = entries.map(([name, { to, newest, of }]): [string, Mark] => [name, { to, newest, of }])
  return cursorText(Object.fromEntries(marks))
}

/** For people: what is read of each. */
export function windowTexts(windows: Plan['windows']): readonly string[] {
  return Object.entries(windows).map(([name, { column, from, to, remark }]) => {
    const after = from === null ? 'everything' : `after ${from}`
    return `${name}: ${column} ${after} until ${to}${remark === null ? '' : ` (${remark})`}`
  })
}
