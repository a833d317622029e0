import { expect, test } from 'vitest'
import { createExaminer } from '../../../src/adapters/bigquery/doctor.ts'
import { clock } from '../../../src/adapters/clock.ts'
import { production, scaled } from '../../../src/domain/policy.ts'
import { type Answer, refused, service } from './service.ts'

// What the service can say of a table and the local server can't: a page of answers stands in for it.
const ref = { project: 'p', dataset: 'd', table: 't' }
const examiner = async (...answers: Answer[]) => {
  const { endpoint } = await service(answers)
  return createExaminer({ project: 'p', location: 'europe-north1', clock, policy: scaled(production, 0.002), endpoint })
}

test('a table with rows in its streaming buffer, policy tags, a demanded filter and an expiration', async () => {
  const body = {
    location: 'europe-north1',
    streamingBuffer: { estimatedRows: '3' },
    requirePartitionFilter: true,
    timePartitioning: { type: 'DAY', field: 'dato' },
    expirationTime: '1795651200000',
    schema: {
      fields: [
        { name: 'dato', type: 'DATE' },
        { name: 'person', type: 'RECORD', fields: [{ name: 'fnr', type: 'STRING', policyTags: { names: ['x'] } }] },
      ],
    },
  }
  expect(await (await examiner({ status: 200, body })).table(ref)).toEqual({
    location: 'europe-north1',
    streaming: true,
    filterOn: 'dato',
    tagged: ['person.fnr'],
    expires: '2026-11-26T00:00:00.000Z',
  })
})

test('partitions by the time of loading', async () => {
  const body = { requirePartitionFilter: true, timePartitioning: { type: 'DAY' } }
  expect(await (await examiner({ status: 200, body })).table(ref)).toMatchObject({ filterOn: '_PARTITIONTIME' })
})

test('row policies: how many, or that they can’t be seen', async () => {
  const asked = await examiner(
    { status: 200, body: { rowAccessPolicies: [{}, {}] } },
    { status: 200, body: {} },
    refused(403, 'accessDenied'),
  )
  expect(await asked.rowPolicies(ref)).toBe(2)
  expect(await asked.rowPolicies(ref)).toBe(0)
  expect(await asked.rowPolicies(ref)).toBeNull()
})

test('what is not there is null, what may not be seen an error', async () => {
  const asked = await examiner(
    refused(404, 'notFound'),
    refused(404, 'notFound'),
    refused(403, 'accessDenied', 'Access Denied: Dataset p:d'),
  )
  expect(await asked.table(ref)).toBeNull()
  expect(await asked.dataset('p', 'd')).toBeNull()
  await expect(asked.dataset('p', 'd')).rejects.toMatchObject({
    kind: 'denied',
    problem: 'dataset p.d: Access Denied: Dataset p:d.',
  })
})

test('a dry run keeps no job and says how many bytes it would read', async () => {
  const { endpoint, seen } = await service([{ status: 200, body: { statistics: { totalBytesProcessed: '10485760' } } }])
  const asked = await createExaminer({ project: 'p', location: 'EU', clock, policy: scaled(production, 0.002), endpoint })
  expect(await asked.dryRun('SELECT 1')).toBe(10_485_760)
  expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({
    jobReference: { projectId: 'p', location: 'EU' },
    configuration: { dryRun: true, query: { query: 'SELECT 1', useLegacySql: false } },
  })
})
