import { dataset, pipeline, replace, row } from 'nais-etl'
import * as z from 'zod'
import { readConfig } from '../../src/config.ts'
import type { AnyRow } from '../../src/domain/column.ts'
import type { RunEvent } from '../../src/domain/event.ts'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { file } from '../../src/domain/source.ts'
import { run } from '../../src/engine/run.ts'
import type { Reader } from '../../src/ports/reader.ts'
import { wire } from '../../src/wire.ts'

/** The row of all of them: an event of an app, six columns of five types. */
export const Event = row(
  {
    id: z.int(),
    app: z.string(),
    cluster: z.enum(['dev-gcp', 'prod-gcp']),
    dato: z.iso.date(),
    share: z.number(),
    seen: z.boolean(),
  },
  { key: ['id'] },
)

/** A pipeline that replaces `ut.<name>` with the rows of its only source, as they are. */
export function copies(name: string): NamedPipeline {
  const made = pipeline({
    schedule: '0 6 * * *',
    from: { events: file(Event, 'events.csv') },
    to: dataset('ut').table(name, Event),
    write: replace(),
  })
  return { ...made, name }
}

/** One run with production's waits. The rows come out of memory, page by page: nothing but the publication asks the server. */
export async function publish(
  url: string,
  made: NamedPipeline,
  count: number,
  onEvent: (event: RunEvent) => void = () => undefined,
): Promise<readonly RunEvent[]> {
  const env = {
    BIGQUERY_EMULATOR_HOST: url,
    NAIS_POD_NAME: `${made.name.replaceAll('_', '-')}-${++runs}-aaaaa`,
    NAIS_APP_NAME: 'bench',
  }
  const config = readConfig({ project: 'bench' }, { env, stdout: process.stdout, cwd: process.cwd() })
  const { ports, settings, request } = await wire(config, { report: 'quiet' })
  const events: RunEvent[] = []
  const event = (each: RunEvent) => {
    events.push(each)
    onEvent(each)
  }
  const readers = { ...ports.readers, file: memory(count) }
  const { outcome } = await run(made, request, { ...ports, readers, report: { event } }, settings, new AbortController().signal)
  if (outcome !== 'published') throw new Error(`${made.name}: ${outcome}`)
  return events
}

let runs = 0
const pageRows = 10_000

function memory(count: number): Reader<ReturnType<typeof file>> {
  return {
    facts: async () => ({ name: 'memory', columns: Event.columns.map(({ name }) => ({ name })), rows: count }),
    dates: async () => [],
    text: () => 'memory',
    async *read() {
      for (let start = 0; start < count; start += pageRows)
        yield Array.from({ length: Math.min(pageRows, count - start) }, (_, index) => eventOf(start + index))
    },
  }
}

/** Texts that compress badly: parts get large. */
function eventOf(id: number): AnyRow {
  return {
    id,
    app: `app-${Math.imul(id, 0x9e3779b1) >>> 0}-${Math.imul(id, 0x85ebca6b) >>> 0}`,
    cluster: id % 3 === 0 ? 'prod-gcp' : 'dev-gcp',
    dato: new Date(1_704_067_200_000 + (id % 500) * 86_400_000).toISOString().slice(0, 10),
    share: id / 7,
    seen: id % 2 === 0,
  }
}
