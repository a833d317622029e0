import { describe, expect, test } from 'vitest'
import { useServer } from '../../local/support/server.ts'
import { findPython, runPython } from './support.ts'

const python = findPython()

describe.skipIf(!python)('Google’s Python client', () => {
  const server = useServer()

  test('understands the answers: exceptions, DML, scripts, pages, dry runs, jobs', async () => {
    expect(await runPython(python ?? '', 'contract_job.py', server.url)).toBe('done\n')
  }, 120_000)
})
