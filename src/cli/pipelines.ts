import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EtlError, nearest } from '../domain/error.ts'
import { type NamedPipeline, type Pipeline, partsOf } from '../domain/pipeline.ts'

/**
 * Loads a pipeline by its name: src/pipelines/NAME.ts.
 * @throws EtlError `usage` if there is none (with the nearest name), `pipeline` if its file can't be loaded.
 */
export async function loadPipeline(root: string, name: string): Promise<NamedPipeline> {
  const names = await pipelineNames(root)
  if (!names.includes(name)) {
    const near = nearest(name, names)
    throw new EtlError('usage', `there is no pipeline ${name}.`, {
      hint:
        near === undefined
          ? `there are: ${names.join(', ') || 'none yet'}. \`npm run etl -- new ${name}\` makes one`
          : `did you mean ${near}?`,
    })
  }
  const path = join(root, 'src', 'pipelines', `${name}.ts`)
  const where = { pipeline: name, step: 'load' }
  let module: { default?: unknown }
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    if (error instanceof EtlError)
      throw new EtlError(error.kind, error.problem, {
        where: { ...where, at: lineOf(error, name) ?? `src/pipelines/${name}.ts` },
        hint: error.hint,
        cause: error,
      })
    throw broken(error, name)
  }
  if (!isPipeline(module.default)) {
    throw new EtlError('pipeline', `src/pipelines/${name}.ts has no pipeline as its default export.`, {
      where,
      hint: 'write `export default pipeline({ … })`',
    })
  }
  return { ...module.default, name }
}

/**
 * The pipeline of one table: `NAME`, or `NAME.table` for a further result of it.
 * @throws EtlError as `loadPipeline`, and `usage` for a table that it doesn't write.
 */
export async function loadTarget(root: string, word: string): Promise<NamedPipeline> {
  const [name = '', table] = word.split('.')
  const parts = partsOf(await loadPipeline(root, name))
  const found = table === undefined ? parts[0] : parts.find(({ to }) => to.table === table)
  if (found !== undefined) return found
  throw new EtlError('usage', `${name} writes no table ${table}.`, {
    hint: `it writes ${parts.map(({ to }) => to.table).join(', ')}`,
  })
}

/** The names of all pipelines, sorted. No folder is no pipelines. */
async function pipelineNames(root: string): Promise<string[]> {
  const files = await readdir(join(root, 'src', 'pipelines')).catch(() => [])
  const odd = files.find(file => file.endsWith('.ts') && !/^[a-z0-9][a-z0-9-]*\.ts$/.test(file))
  if (odd !== undefined) {
    throw new EtlError(
      'pipeline',
      `src/pipelines/${odd}: the file's name is the pipeline's, in lower case letters, digits and -.`,
      {
        hint: `call it ${odd
          .replace(/\.ts$/, '')
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, '-')}.ts; what is no pipeline lies elsewhere`,
      },
    )
  }
  return files.flatMap(file => (file.endsWith('.ts') ? file.slice(0, -3) : [])).sort()
}

/**
 * The pipelines of these names, or all.
 * @throws EtlError like `loadPipeline`; `usage` if there is none at all.
 */
export async function namedPipelines(root: string, names: readonly string[]): Promise<NamedPipeline[]> {
  const pipelines = names.length === 0 ? await loadAll(root) : await Promise.all(names.map(name => loadPipeline(root, name)))
  refuseSharedTargets(pipelines)
  if (pipelines.length > 0) return pipelines
  throw new EtlError('usage', 'there is no pipeline yet.', { hint: '`npm run etl -- new my-first` makes one' })
}

/** All pipelines, in the order of their names. */
export async function loadAll(root: string): Promise<NamedPipeline[]> {
  const pipelines = await Promise.all((await pipelineNames(root)).map(name => loadPipeline(root, name)))
  refuseSharedTargets(pipelines)
  return pipelines
}

/** Two pipelines of one table would undo each other, and in one Job the second would take the first's publication for its own. */
function refuseSharedTargets(pipelines: readonly NamedPipeline[]): void {
  const owners = new Map<string, string>()
  for (const { name, to } of pipelines.flatMap(partsOf)) {
    const target = `${JSON.stringify(to.dataset)} ${to.table}`
    const other = owners.get(target)
    if (other !== undefined)
      throw new EtlError('pipeline', `${other} and ${name} write the same table ${to.table}.`, {
        hint: 'give each pipeline a table of its own',
      })
    owners.set(target, name)
  }
}

function isPipeline(value: unknown): value is Pipeline {
  return (
    typeof value === 'object' &&
    value !== null &&
    'from' in value &&
    'to' in value &&
    'write' in value &&
    isKind((value as { transform?: unknown }).transform)
  )
}

/** pipeline() has looked at it: a plain object of the same fields was not checked. */
function isKind(transform: unknown): boolean {
  return typeof transform === 'object' && transform !== null && 'kind' in transform
}

/** A file that doesn't parse, or names something that isn't there: Node's own words for where. */
function broken(error: unknown, name: string): EtlError {
  const text = error instanceof Error ? error.message.split('\n').find(line => line.trim() !== '') : String(error)
  const place = error instanceof Error ? (lineOf(error, name) ?? placeInMessage(error, name)) : undefined
  return new EtlError('pipeline', `the file can't be loaded: ${text?.trim()}`, {
    where: { pipeline: name, step: 'load', at: place ?? `src/pipelines/${name}.ts` },
    hint: error instanceof SyntaxError ? '`npx tsc --noEmit` says more' : undefined,
    cause: error,
  })
}

function lineOf(error: Error, name: string): string | undefined {
  const frame = error.stack?.split('\n').find(line => line.includes(`/pipelines/${name}.ts`))
  const line = frame === undefined ? undefined : /\.ts:(\d+)/.exec(frame)?.[1]
  return line === undefined ? undefined : `src/pipelines/${name}.ts:${line}`
}

function placeInMessage(error: Error, name: string): string | undefined {
  const line = new RegExp(`${name}\\.ts:(\\d+)`).exec(`${error.message}\n${error.stack ?? ''}`)?.[1]
  return line === undefined ? undefined : `src/pipelines/${name}.ts:${line}`
}
