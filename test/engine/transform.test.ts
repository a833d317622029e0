import { dataset, each, partition, pipeline, replace, row, table } from 'nais-etl'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { NamedPipeline } from '../../src/domain/pipeline.ts'
import { transformed } from '../../src/engine/transform.ts'
import type { Reader } from '../../src/ports/reader.ts'

const Day = row({ dato: z.iso.date(), n: z.int() })
const target = dataset('ut').table('t', Day)
const from = { a: table(Day, 'inn.a'), b: table(Day, 'inn.b') }
const [one, two, three] = ['2026-01-01', '2026-01-02', '2026-01-03']

/** A reader of rows in memory, behind the port: for what a real one would never do. It tells whether it was closed. */
function readers(rows: Record<string, [string, number][]>) {
  const closed: string[] = []
  const reader = {
    async *read(source: { table: string }) {
      try {
        for (const [dato, n] of rows[source.table] ?? []) yield [{ dato, n }]
      } finally {
        closed.push(source.table)
      }
    },
  } as unknown as Reader
  return { closed, readers: { table: reader, file: reader } as never }
}

async function results(
  named: Omit<NamedPipeline, 'name'>,
  scope: string[],
  given: ReturnType<typeof readers>,
): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const rows of transformed(
    { ...named, name: 'p' },
    { scope, windows: {}, moment: null },
    given,
    new AbortController().signal,
    () => undefined,
  ))
    all.push(...rows)
  return all
}

describe('slices of several sources', () => {
  const sum = pipeline({
    schedule: '0 5 * * *',
    from,
    transform: ({ a, b }) => [{ dato: (a[0] ?? b[0])?.dato ?? '', n: [...a, ...b].reduce((total, { n }) => total + n, 0) }],
    to: target,
    write: partition('dato'),
  })

  test('meet by their date, whichever has rows of it', async () => {
    const given = readers({
      'inn.a': [
        [one, 1],
        [one, 2],
        [three, 4],
      ],
      'inn.b': [
        [two, 8],
        [three, 16],
      ],
    })
    expect(await results(sum, [one, two, three], given)).toEqual([
      { dato: one, n: 3 },
      { dato: two, n: 8 },
      { dato: three, n: 20 },
    ])
  })

  test('are nothing where every source has lost them: the function is not asked', async () => {
    expect(await results(sum, [one, two], readers({ 'inn.a': [[one, 1]], 'inn.b': [] }))).toEqual([{ dato: one, n: 1 }])
  })

  test('that nobody asked for are a defect of the reader, never left out in silence', async () => {
    await expect(
      results(
        sum,
        [one, three],
        readers({
          'inn.a': [
            [one, 1],
            [two, 2],
            [three, 3],
          ],
        }),
      ),
    ).rejects.toThrow(/a gave rows of 2026-01-02/)
  })

  test('close their readers when the function throws', async () => {
    const given = readers({
      'inn.a': [
        [one, 1],
        [two, 2],
      ],
      'inn.b': [
        [one, 1],
        [two, 2],
      ],
    })
    const throwing = {
      ...sum,
      transform: {
        kind: 'rows',
        rows: () => {
          throw new Error('no')
        },
      },
    } as never
    await expect(results(throwing, [one, two], given)).rejects.toThrow(/it threw Error: no/)
    expect(given.closed.sort()).toEqual(['inn.a', 'inn.b'])
  })
})

describe('a row of another slice', () => {
  const moved = (n: number) => ({ dato: n > 1 ? three : one, n })

  test('is refused where a function of rows returns it', async () => {
    const wrong = pipeline({
      schedule: '0 5 * * *',
      from: { a: from.a },
      transform: ({ a }) => a.map(({ n }) => moved(n)),
      to: target,
      write: partition('dato'),
    })
    await expect(
      results(
        wrong,
        [one, two],
        readers({
          'inn.a': [
            [one, 1],
            [two, 2],
          ],
        }),
      ),
    ).rejects.toThrow(/transform 2026-01-02 › row 2 › dato: expected 2026-01-02, the slice/)
  })

  test('is refused where each returns it', async () => {
    const wrong = pipeline({
      schedule: '0 5 * * *',
      from: { a: from.a },
      transform: each(({ a }: { a: { n: number } }) => [moved(a.n)]),
      to: target,
      write: partition('dato'),
    })
    await expect(
      results(
        wrong,
        [one, two],
        readers({
          'inn.a': [
            [one, 1],
            [two, 2],
          ],
        }),
      ),
    ).rejects.toThrow(/expected 2026-01-02, the slice/)
  })

  test('is not what each returns that is no row', async () => {
    const wrong = pipeline({
      schedule: '0 5 * * *',
      from: { a: from.a },
      transform: each(() => [null]) as never,
      to: target,
      write: partition('dato'),
    })
    await expect(results(wrong, [one], readers({ 'inn.a': [[one, 1]] }))).rejects.toThrow(/row 1: expected /)
  })
})

describe('what each takes over from its source is not checked again', () => {
  const Few = row({ x: z.string().max(3), t: z.iso.time().nullable() })
  const made = (to: unknown, of: (given: { a: Record<string, unknown> }) => unknown[]) => {
    const reader = {
      async *read() {
        yield [{ x: 'a', t: '06:30:00' }]
      },
    } as unknown as Reader
    const named = pipeline({
      schedule: '0 5 * * *',
      from: { a: table(Few, 'inn.a') },
      transform: each(of) as never,
      to: dataset('ut').table('t', to as typeof Few),
      write: replace(),
    })
    return results(named, null as never, { closed: [], readers: { table: reader } as never })
  }

  test('but for what the function changed in the row that it was given', async () => {
    const long = (a: Record<string, unknown>) => Object.assign(a, { x: 'long' })
    await expect(made(Few, ({ a }) => [{ ...long(a) }])).rejects.toThrow('row 1 › x: expected string of at most 3')
    await expect(made(Few, ({ a }) => [{ ...a }, long(a)])).rejects.toThrow('row 2 › x: expected string of at most 3')
    expect(await made(Few, ({ a }) => [Object.assign(a, { x: 'b' })])).toEqual([{ x: 'b', t: '06:30:00' }])
  })

  test('but for a time whose precision the source did not promise', async () => {
    const Exact = row({ ...Few.shape, t: z.iso.time({ precision: 3 }).nullable() })
    await expect(made(Exact, ({ a }) => [{ ...a }])).rejects.toThrow('row 1 › t: ')
    await expect(made(Few, ({ a }) => [{ ...a }])).resolves.toHaveLength(1)
  })
})
