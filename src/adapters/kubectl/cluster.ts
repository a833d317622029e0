import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { EtlError } from '../../domain/error.ts'
import type { Cluster } from '../../ports/doctor.ts'

/** Kubectl waits for a cluster that can't be reached (no VPN, no login) until somebody ends it. Milliseconds. */
const patience = 15_000

/** Asks the cluster by the kubectl of this machine: started without a shell, for reading only, and ended after a while. */
export const cluster: Cluster = {
  async deployed(naisjob, namespace, environment) {
    const context = (await kubectl(['config', 'current-context'])).trim()
    if (!new RegExp(`(^|[^a-z])${environment}([^a-z]|$)`).test(context)) {
      throw new EtlError('unavailable', `kubectl is set to ${context}, which is not a cluster of ${environment}.`, {
        hint: `kubectl config use-context ${environment}-gcp`,
      })
    }
    const found: unknown = parsed(await kubectl(['get', 'naisjob', naisjob, '-n', namespace, '-o', 'json']))
    const datasets = await kubectl(['get', 'bigquerydatasets.google.nais.io', '-n', namespace, '-o', 'json']).catch(() => null)
    const list = datasets === null ? null : (parsed(datasets) as { items?: readonly unknown[] }).items
    return { cluster: context, naisjob: found, datasets: list ?? null }
  },
}

async function kubectl(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('kubectl', [...args], { timeout: patience, maxBuffer: 16 * 1024 * 1024 })
    return stdout
  } catch (error) {
    throw refused(error as NodeJS.ErrnoException & { killed?: boolean; stderr?: string })
  }
}

function refused(error: NodeJS.ErrnoException & { killed?: boolean; stderr?: string }): EtlError {
  const said =
    (error.stderr ?? '')
      .trim()
      .split('\n')[0]
      ?.replace(/^error: /, '') ?? ''
  if (error.code === 'ENOENT') return new EtlError('unavailable', 'there is no kubectl here.', { cause: error })
  if (error.killed === true)
    return new EtlError('unavailable', `kubectl got no answer in ${patience / 1000} s.`, {
      hint: 'is naisdevice connected, and are you logged in?',
      cause: error,
    })
  if (/NotFound|not found/.test(said)) return new EtlError('notFound', `the cluster says: ${said}`, { cause: error })
  if (/Forbidden/.test(said)) return new EtlError('denied', `the cluster says: ${said}`, { cause: error })
  return new EtlError('unavailable', `kubectl says: ${said === '' ? `it ended with ${error.code}` : said}`, { cause: error })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EtlError('unavailable', 'kubectl answered with something that is no JSON.', { cause })
  }
}
