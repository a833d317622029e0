import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EtlError } from '../domain/error.ts'
import type { NamedPipeline } from '../domain/pipeline.ts'
import { cronOf } from '../engine/tick.ts'
import { type Deployment, deploymentOf } from '../nais/deployment.ts'
import { goneNaisjobs, manifestFiles, manifestPaths } from '../nais/files.ts'
import type { Command } from './command.ts'
import { loadAll } from './pipelines.ts'
import { withReads } from './reads.ts'

export const manifest: Command = {
  name: 'manifest',
  summary: 'write naisjob.yaml and alerts.yaml from the pipelines',
  usage: '[--check]',
  help: `Writes what nais deploys, from src/pipelines and the \`nais\` part of package.json: one Naisjob for each schedule, datasets, permissions, alerts.
The same pipelines give the same text; commit it. Which tables a query(…) reads, Google's analyser tells (a dev dependency).

  --check          change nothing; exit with 1 if a file is not what the pipelines say

Examples
  npm run etl -- manifest
  npm run etl -- manifest --check`,
  options: { check: { type: 'boolean' } },
  words: { least: 0, most: 0 },
  async run({ root, flags, out }) {
    const { wanted, now, stale } = await manifestState(root, await loadAll(root))
    if (flags.check === true) {
      if (stale.length === 0) return 0
      throw new EtlError('config', `${stale.join(', ')}: not what the pipelines say.`, {
        hint: 'run `npm run etl -- manifest` and commit',
      })
    }
    for (const path of stale) {
      const text = wanted.get(path)
      if (text === undefined) await rm(join(root, path))
      else await writeFile(join(root, path), text)
      out.line(`${path} ${text === undefined ? 'removed: nothing needs it' : 'written'}`)
    }
    if (stale.length === 0) out.line('Nothing to do: the files are what the pipelines say.')
    for (const name of goneNaisjobs([...now.values()].join(''), [...wanted.values()].join(''))) {
      out.line(`${name} is in no manifest any more, but deploying never deletes: kubectl delete naisjob ${name}, in dev and prod`)
    }
    return 0
  },
}

/**
 * What the pipelines say, what the files say, and which of them differ. `pipelines`: with what their queries read.
 * @throws EtlError `pipeline`, `config`; `unavailable` where nobody can tell what a query reads.
 */
export async function manifestState(root: string, loaded: readonly NamedPipeline[]) {
  const deployment = await readDeployment(root)
  const pipelines = await withReads(loaded)
  const wanted = new Map(manifestFiles(pipelines, deployment, cronOf).map(file => [file.path, file.text]))
  const now = new Map(await Promise.all(manifestPaths.map(async path => [path, await textOf(join(root, path))] as const)))
  return { deployment, pipelines, wanted, now, stale: manifestPaths.filter(path => wanted.get(path) !== now.get(path)) }
}

async function readDeployment(root: string): Promise<Deployment> {
  const packageJson: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return deploymentOf(packageJson)
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
