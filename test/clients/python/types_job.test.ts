import { describe, expect, test } from 'vitest'
import { useServer } from '../../local/support/server.ts'
import { samples } from '../values.ts'
import { findPython, runPython } from './support.ts'

const python = findPython()

describe.skipIf(!python)('Google’s Python client', () => {
  const server = useServer()

  test('gets back every value that it loaded, of every type, as Parquet and as NDJSON', async () => {
    const said = await runPython(python ?? '', 'types_job.py', server.url, JSON.stringify(samples))
    const kinds = samples.flatMap(({ type, values }) => {
      const count = (without: string) => values.filter(value => value !== without).length
      const ndjson = `${type} ndjson ${count('null')}`
      return type === 'BIGNUMERIC' ? [ndjson] : [ndjson, `${type} parquet ${values.length}`]
    })
    expect(said.trim().split('\n')).toEqual(kinds)
  }, 120_000)
})
