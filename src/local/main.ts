import { parseArgs } from 'node:util'
import { startServer } from './server.ts'

export type ServeOptions = {
  readonly port: number
  readonly dir: string
  /** One JSON object instead of a line of text. */
  readonly json?: boolean
  /** Stop when standard input closes, so that the server never outlives the process that started it. */
  readonly exitWithStdin?: boolean
  readonly memoryLimit?: string
}

/** Runs a local BigQuery until SIGTERM, SIGINT (or the end of stdin): one line on stdout when it is ready. Gives the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve())
  if (options.exitWithStdin)
    process.stdin
      .once('end', () => stopped.resolve())
      .once('error', () => stopped.resolve())
      .resume()
  try {
    const server = await startServer(options)
    const { url } = server
    const line = options.json
      ? JSON.stringify({ message: 'local BigQuery ready', url, dir: options.dir })
      : `local BigQuery ready at ${url} (data in ${options.dir})`
    process.stdout.write(`${line}\n`)
    await stopped.promise
    await server.close()
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      dir: { type: 'string', default: '.etl/local' },
      json: { type: 'boolean', default: false },
      'exit-with-stdin': { type: 'boolean', default: false },
      'memory-limit': { type: 'string' },
    },
  })
  const limit = values['memory-limit']
  const code = await serve({
    port: Number(values.port),
    dir: values.dir,
    json: values.json,
    exitWithStdin: values['exit-with-stdin'],
    ...(limit === undefined ? {} : { memoryLimit: limit }),
  })
  process.exit(code)
}
