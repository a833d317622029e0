import { startProxy } from '../../test/support/proxy.ts'
import { copies, publish } from './pipelines.ts'
import type { Bench } from './server.ts'

const most = 12

/** Every call of the API that one publication of a small result makes, one a line. @returns what is wrong, if they are too many. */
export async function calls({ url }: Bench): Promise<string | undefined> {
  const proxy = await startProxy(url)
  try {
    const made = copies('calls')
    await publish(proxy.url, made, 1_000)
    const first = proxy.seen.length
    await publish(proxy.url, made, 1_000)
    await proxy.idle()
    const seen = proxy.seen.slice(first)
    process.stdout.write(
      'calls: one publication of 1,000 rows into a table that is there, everything but reading and transforming\n',
    )
    for (const [index, { method, path, query, json }] of seen.entries()) {
      const text = String((json as { query?: string })?.query ?? '')
        .trim()
        .replace(/\s+/g, ' ')
      const what = [method, path.replace(/^.*\/bench\//, ''), query.get('uploadType') ?? '', text.slice(0, 60)]
      process.stdout.write(`${String(index + 1).padStart(4)}  ${what.filter(part => part !== '').join(' ')}\n`)
    }
    process.stdout.write(`${seen.length} calls (at most ${most})\n`)
    return seen.length <= most ? undefined : `${seen.length} calls, at most ${most} are allowed`
  } finally {
    await proxy.close()
  }
}
