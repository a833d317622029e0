import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cluster } from '../../../src/adapters/kubectl/cluster.ts'

// A program called kubectl, which answers as the shell lines say: no cluster is at hand.
let bin: string
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'etl-kubectl-'))
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(bin, { recursive: true })
})
const kubectl = async (lines: string) => {
  await writeFile(join(bin, 'kubectl'), `#!/bin/sh\n${lines}\n`)
  await chmod(join(bin, 'kubectl'), 0o755)
}
const deployed = () => cluster.deployed('jobben', 'nais-analyse', 'dev')

test('the Naisjob and the datasets of its namespace, as the cluster has them', async () => {
  await kubectl(`case "$*" in
"config current-context") echo nav-dev-gcp ;;
"get naisjob jobben -n nais-analyse -o json") echo '{"kind": "Naisjob"}' ;;
"get bigquerydatasets.google.nais.io -n nais-analyse -o json") echo '{"items": [{"kind": "BigQueryDataset"}]}' ;;
*) exit 1 ;;
esac`)
  expect(await deployed()).toEqual({
    cluster: 'nav-dev-gcp',
    naisjob: { kind: 'Naisjob' },
    datasets: [{ kind: 'BigQueryDataset' }],
  })
})

test('a name is an argument, never a command', async () => {
  await kubectl('[ "$1" = config ] && echo dev-gcp || echo "{\\"got\\": \\"$3\\"}"')
  const { naisjob } = await cluster.deployed('$(touch x); `id`', 'n', 'dev')
  expect(naisjob).toEqual({ got: '$(touch x); `id`' })
})

test.each([
  ['is not there', undefined, 'unavailable', 'there is no kubectl here.'],
  [
    'is set to the other environment',
    'echo prod-gcp',
    'unavailable',
    'kubectl is set to prod-gcp, which is not a cluster of dev.',
  ],
  [
    'is set to a word that begins alike',
    'echo developers',
    'unavailable',
    'kubectl is set to developers, which is not a cluster of dev.',
  ],
  [
    'has no context',
    "echo 'error: current-context is not set' >&2; exit 1",
    'unavailable',
    'kubectl says: current-context is not set',
  ],
  [
    'knows no such Naisjob',
    '[ "$1" = config ] && echo dev-gcp || { echo \'Error from server (NotFound): naisjobs.nais.io "jobben" not found\' >&2; exit 1; }',
    'notFound',
    'the cluster says: Error from server (NotFound): naisjobs.nais.io "jobben" not found',
  ],
  [
    'may not look',
    '[ "$1" = config ] && echo dev-gcp || { echo \'Error from server (Forbidden): no\' >&2; exit 1; }',
    'denied',
    'the cluster says: Error from server (Forbidden): no',
  ],
  [
    'answers nonsense',
    '[ "$1" = config ] && echo dev-gcp || echo hello',
    'unavailable',
    'kubectl answered with something that is no JSON.',
  ],
])('kubectl %s', async (_, lines, kind, problem) => {
  if (lines === undefined) vi.stubEnv('PATH', bin)
  else await kubectl(lines)
  await expect(deployed()).rejects.toMatchObject({ kind, problem })
})
