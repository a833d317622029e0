/** What one job of the benchmark took. */
export type Figures = { readonly rows: number; readonly seconds: number; readonly cpu: number; readonly mebibytes: number }

/** A way to read: starts a process of its own, which prints its figures as the last line. */
export type Way = () => Promise<{ readonly stdout: string }>

const repeats = 3

/** Reads by every way in turn, three times, and prints the medians, the first way being what the others are measured by. */
export async function compare(rows: number, ways: Readonly<Record<string, Way>>): Promise<void> {
  const [first = ''] = Object.keys(ways)
  process.stdout.write(
    `| ${rows.toLocaleString('en')} rows by | seconds | × ${first} | processor seconds | peak MiB |\n|---|---:|---:|---:|---:|\n`,
  )
  const figures = new Map<string, Figures[]>(Object.keys(ways).map(name => [name, []]))
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const [name, way] of Object.entries(ways)) figures.get(name)?.push(figuresOf(await way(), rows))
  const base = median(figures.get(first) ?? [], 'seconds')
  for (const [name, found] of figures) {
    const seconds = median(found, 'seconds')
    const cells = [name, seconds.toFixed(2), (seconds / base).toFixed(2), median(found, 'cpu').toFixed(2)]
    process.stdout.write(`| ${cells.join(' | ')} | ${Math.round(median(found, 'mebibytes'))} |\n`)
  }
}

function figuresOf({ stdout }: { readonly stdout: string }, rows: number): Figures {
  const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
  if (figures.rows !== rows) throw new Error(`${figures.rows} rows were read instead of ${rows}`)
  return figures
}

function median(found: readonly Figures[], key: keyof Figures): number {
  const sorted = found.map(figures => figures[key]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
