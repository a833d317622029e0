import { parseArgs } from 'node:util'
import type { Command, Context, World } from './cli/command.ts'
import { commands } from './cli/index.ts'
import { type Config, readConfig, type WorldFlags } from './config.ts'
import { EtlError, frames, kinds, nearest } from './domain/error.ts'

/**
 * argv → command → exit code. SIGTERM, SIGINT and a failure that nobody waited for abort the run before it publishes. The caller ends the
 * process, so that nothing of the author's that is still under way prints a row afterwards.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const abort = new AbortController()
  const stop = () => abort.abort()
  let stray: EtlError | undefined
  const onStray = (error: unknown) => {
    stray ??= strayPromise(error)
    stop()
  }
  // A reader that has seen enough (`… | head`) closes the pipe: that is no failure, and stops no run.
  process.stdout.on('error', () => undefined)
  process.on('SIGTERM', stop).on('SIGINT', stop).on('unhandledRejection', onStray).on('uncaughtException', onStray)
  try {
    process.exitCode = await dispatch(argv, abort.signal)
    if (stray !== undefined) throw stray
  } catch (error) {
    const failure = stray ?? asFailure(error)
    if (logsOnly(argv)) {
      const { logFailure } = await import('./wire.ts')
      await logFailure(failure, failure === stray ? 'unknown' : false)
    } else {
      process.stderr.write(`${failure.message}\n`)
      const shown = failure.kind === 'bug' || failure === stray ? failure.cause : undefined
      if (shown instanceof Error) process.stderr.write(`${frames(shown)}\n`)
    }
    process.exitCode = kinds[failure.kind].exit
  }
}

function asFailure(error: unknown): EtlError {
  if (error instanceof EtlError) return error
  if (isFileError(error)) {
    const { code, path, syscall } = error
    return new EtlError('config', `${path ?? 'a file'} can't be used (${code}, ${syscall}).`, {
      hint: 'look at the path, its permissions and the space that is left',
      cause: error,
    })
  }
  return new EtlError('bug', `${error instanceof Error ? error.name : 'something'} (a defect).`, {
    cause: error,
    hint: 'please report it with the lines below',
  })
}

function strayPromise(error: unknown): EtlError {
  return new EtlError(
    'transform',
    `a promise or timer that nobody waited for failed with ${error instanceof Error ? error.name : 'something'}; its text is left out, since it could hold a row.`,
    {
      hint: 'a transform is a pure function: no network, no promises. The lines below or stack_trace say where it was made',
      cause: error,
    },
  )
}

/** An error of the file system: its text names paths, never a row. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error &&
    'code' in error &&
    'syscall' in error &&
    /^E[A-Z]+$/.test(String(error.code)) &&
    !/^(connect|getaddrinfo|read|write)$/.test(String(error.syscall))
  )
}

/** Is the reader of what goes wrong a log and not a person? */
function logsOnly([name]: readonly string[]): boolean {
  return process.stdout.isTTY !== true && commands.find(command => command.name === name)?.logs === true
}

async function dispatch(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const topic = commands.find(command => command.name === rest[0])
    process.stdout.write(topic === undefined ? overview() : helpOf(topic))
    return 0
  }
  const command = commands.find(candidate => candidate.name === name)
  if (command === undefined) {
    const near = nearest(
      name,
      commands.map(candidate => candidate.name),
    )
    throw new EtlError('usage', `there is no command ${name}.`, {
      hint: near === undefined ? '`npm run etl` lists them' : `did you mean ${near}?`,
    })
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(helpOf(command))
    return 0
  }
  const { words, flags } = parse(command, rest)
  const config = readConfig(flags as WorldFlags)
  return (await command.run(contextOf(words, flags, config, signal))) ?? 0
}

function contextOf(words: readonly string[], flags: Context['flags'], config: Config, signal: AbortSignal): Context {
  return {
    words,
    flags,
    root: config.root,
    json: config.json,
    interactive: config.terminal.interactive,
    chosen: config,
    signal,
    out: {
      line: (text = '') => void process.stdout.write(`${text}\n`),
      data: value => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    },
    cluster: async () => (await import('./wire.ts')).cluster,
    world: async (options = {}): Promise<World> => {
      const { wire } = await import('./wire.ts')
      return wire(config, options)
    },
  }
}

function parse(command: Command, args: readonly string[]): { words: readonly string[]; flags: Context['flags'] } {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options: command.options, allowPositionals: true, strict: true })
    const { least, most } = command.words
    if (positionals.length < least)
      throw new EtlError('usage', `etl ${command.name} needs ${command.usage.split(' ')[0]}.`, {
        hint: `\`npm run etl -- ${command.name} --help\` shows examples`,
      })
    if (positionals.length > most)
      throw new EtlError('usage', `etl ${command.name}: ${positionals[most]} is one word too many.`, {
        hint: `usage: ${`etl ${command.name} ${command.usage}`.trim()}`,
      })
    return { words: positionals, flags: values as Context['flags'] }
  } catch (error) {
    if (error instanceof EtlError) throw error
    const unknown = /Unknown option '(-[^']*)'/.exec(error instanceof Error ? error.message : '')?.[1]
    const known = Object.keys(command.options).map(option => `--${option}`)
    const near = unknown === undefined ? undefined : nearest(unknown, known)
    const problem =
      unknown === undefined
        ? `etl ${command.name}: ${error instanceof Error ? error.message.split(/\.\s|\n/)[0]?.replace(/\.$/, '') : String(error)}.`
        : `etl ${command.name} has no flag ${unknown}.`
    throw new EtlError('usage', problem, {
      hint: near === undefined ? `it has: ${known.join(', ') || 'none'}` : `did you mean ${near}?`,
    })
  }
}

function overview(): string {
  const width = Math.max(...commands.map(command => command.name.length))
  return `etl: scheduled, tested, versioned ETL jobs for BigQuery

  npm run etl -- COMMAND [--help]

${commands.map(command => `  ${command.name.padEnd(width)}  ${command.summary}`).join('\n')}

Every command has --help with examples. It exits with 0 if all went well, else with 1 and a sentence.
`
}

function helpOf(command: Command): string {
  return `${`etl ${command.name} ${command.usage}`.trim()}: ${command.summary}\n\n${command.help}\n`
}
