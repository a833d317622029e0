import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The Python that setup.sh made, or undefined where there is none: then the tests say so and are skipped. */
export function findPython(): string | undefined {
  const venv = process.env.ETL_TEST_VENV ?? fileURLToPath(new URL('../../../.venv-python', import.meta.url))
  const python = join(venv, 'bin', 'python')
  const works = existsSync(python) && spawnSync(python, ['-c', 'import google.cloud.bigquery, pandas_gbq']).status === 0
  if (!works)
    console.warn(
      '\nSKIPPED: the tests with Google’s Python client. Run test/clients/python/setup.sh (Python 3.11 or newer) to have them.\n',
    )
  return works ? python : undefined
}

/** Runs a script against a local server; gives what it printed. Throws with its complaint where it fails. */
export async function runPython(python: string, script: string, url: string, input = ''): Promise<string> {
  const child = spawn(python, [join(here, script)], {
    env: { PATH: process.env.PATH, BIGQUERY_EMULATOR_HOST: url, PYTHONWARNINGS: 'ignore', PYTHONIOENCODING: 'utf-8' },
  })
  let [said, complaint] = ['', '']
  child.stdout.on('data', (text: Buffer) => {
    said += text
  })
  child.stderr.on('data', (text: Buffer) => {
    complaint += text
  })
  child.stdin.end(input)
  const code = await new Promise(ended => child.once('close', ended))
  if (code !== 0) throw new Error(`${script} ended with ${code}:\n${complaint}`)
  return said
}
