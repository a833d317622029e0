import { parseArgs } from 'node:util'
import { clientHelp } from './help.ts'
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

const usage = `A local BigQuery on 127.0.0.1: the REST API, rows in DuckDB, SQL by Google's evaluator.

  --port N             the port; 0, the default, lets the system choose
  --dir DIR            where its data lies (.etl/local)
  --json               say one JSON object when ready, instead of a line of text
  --exit-with-stdin    stop when standard input closes
  --memory-limit SIZE  DuckDB's memory (1GB)
`

if (import.meta.main) process.exit(await main(process.argv.slice(2)))

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readArguments(args)
    if (options) return await serve(options)
    process.stdout.write(`${usage}\n${clientHelp}`)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

/** Undefined where help is asked for. Throws a sentence for a wrong flag. */
function readArguments(args: readonly string[]): ServeOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      dir: { type: 'string', default: '.etl/local' },
      json: { type: 'boolean', default: false },
      'exit-with-stdin': { type: 'boolean', default: false },
      'memory-limit': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const limit = values['memory-limit']
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port ${values.port}: a port is a number from 0 (the system chooses) to 65535.`)
  }
  if (values.help) return undefined
  return {
    port,
    dir: values.dir,
    json: values.json,
    exitWithStdin: values['exit-with-stdin'],
    ...(limit === undefined ? {} : { memoryLimit: limit }),
  }
}
