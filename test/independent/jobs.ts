import { describe, expect, test } from 'vitest'
import { parameter } from '../../src/adapters/bigquery/publish.ts'
import { ask, queryConfiguration } from '../../src/adapters/bigquery/query.ts'
import { freshTarget, project, sql } from '../adapters/bigquery/world.ts'
import { ended, processOn, type Subject } from './subject.ts'

/** Job ids of our own are what every promise stands on: a doubt is settled by looking the id up. */
export function jobsContract(on: Subject): void {
  describe('a job', () => {
    test('keeps the id, the text and the labels that it was given, and ends DONE', async () => {
      const { api, jobs, token } = await processOn(on.server.url)
      const job = await jobs.run('etl-ask', queryConfiguration('SELECT 1 AS one'), 'a question')
      expect(job).toMatchObject({
        jobReference: { projectId: project, jobId: `etl-ask-${token}-1` },
        configuration: { labels: { tool: 'nais-etl' }, query: { query: 'SELECT 1 AS one' } },
        status: { state: 'DONE' },
      })
      expect(await api.once({ path: `${project}/jobs/etl-ask-${token}-1` })).toMatchObject({ status: { state: 'DONE' } })
    })

    test('of a used id is refused with 409; the same work is adopted and not done again, other work is not', async () => {
      const { jobs, token } = await processOn(on.server.url)
      const { runs } = await freshTarget(on.server)
      const name = `${runs.project}.${runs.dataset}.notes`
      await sql(on.server, `CREATE TABLE \`${name}\` (n INT64)`)
      const insert = queryConfiguration(`INSERT INTO \`${name}\` (n) VALUES (@n)`, [parameter('n', 'INT64', '1')])
      const id = `etl-publish-${token}`
      await ended(jobs, id, insert)
      expect((await submit(id, insert)).error).toMatchObject({ code: 409, errors: [{ reason: 'duplicate' }] })
      expect(await ended(jobs, id, insert)).toMatchObject({ jobReference: { jobId: id } })
      expect(await sql(on.server, `SELECT COUNT(*) FROM \`${name}\``)).toEqual([['1']])
      await expect(jobs.accepted(id, queryConfiguration('SELECT 2'))).rejects.toMatchObject({ kind: 'bug' })
    })

    test('that failed has burnt its id, and says why whenever it is asked', async () => {
      const { jobs, token } = await processOn(on.server.url)
      const id = `etl-publish-${token}`
      const failing = queryConfiguration('SELECT 1; SELECT no_such_column FROM (SELECT 1 AS a)')
      const failed = { status: { state: 'DONE', errorResult: { reason: 'invalidQuery' } } }
      expect(await ended(jobs, id, failing)).toMatchObject(failed)
      expect((await submit(id, queryConfiguration('SELECT 1'))).error).toMatchObject({ code: 409 })
      expect(await jobs.find(id)).toMatchObject(failed)
      expect(await ended(jobs, id, failing)).toMatchObject(failed)
    })

    test('that nobody submitted is not found', async () => {
      const { jobs, token } = await processOn(on.server.url)
      expect(await jobs.find(`etl-publish-${token}`)).toBeUndefined()
      const { status, body } = await on.server.call('GET', `/${project}/jobs/etl-publish-${token}`)
      expect({ status, body }).toMatchObject({ status: 404, body: { error: { errors: [{ reason: 'notFound' }] } } })
    })

    test('takes named, typed parameters, NULL among them', async () => {
      const { api } = await processOn(on.server.url)
      const parameters = [
        parameter('text', 'STRING', 'it\'s `\\ "æ" \n@n'),
        parameter('n', 'INT64', '9007199254740993'),
        parameter('at', 'TIMESTAMP', '1969-12-31T23:59:59.999999Z'),
        parameter('nothing', 'STRING', null),
        parameter('never', 'TIMESTAMP', null),
        parameter('scope', 'STRING', '["2024-02-01"]'),
      ]
      const text =
        'SELECT @text AS text, @n + 0 AS n, @at AS moment, @nothing AS nothing, @never AS never, PARSE_JSON(@scope) AS scope'
      expect((await ask(api, text, 'a question', parameters)).rows).toEqual([
        {
          text: 'it\'s `\\ "æ" \n@n',
          n: 9007199254740993n,
          moment: '1969-12-31T23:59:59.999999Z',
          nothing: null,
          never: null,
          scope: '["2024-02-01"]',
        },
      ])
    })

    test('gives its answer in pages, every row once', async () => {
      const { api, jobs } = await processOn(on.server.url)
      const numbers = (count: number) => `SELECT n FROM UNNEST(GENERATE_ARRAY(1, ${count})) AS n`
      const { rows } = await ask(api, numbers(10_001), 'a question')
      expect(new Set(rows.map(row => row.n)).size).toBe(10_001)
      const job = await jobs.run('etl-ask', queryConfiguration(numbers(12)), 'a question')
      const path = `/${project}/queries/${job.jobReference.jobId}`
      const first = (await on.server.call('GET', `${path}?maxResults=5`)).body
      const second = (await on.server.call('GET', `${path}?maxResults=5&pageToken=${first.pageToken}`)).body
      const third = (await on.server.call('GET', `${path}?maxResults=5&pageToken=${second.pageToken}`)).body
      expect([first, second, third].map(page => [(page.rows as unknown[]).length, page.totalRows])).toEqual([
        [5, '12'],
        [5, '12'],
        [2, '12'],
      ])
      expect(third.pageToken ?? null).toBeNull()
    })
  })

  async function submit(id: string, configuration: object): Promise<Record<string, unknown>> {
    const jobReference = { projectId: project, jobId: id, location: 'europe-north1' }
    return (await on.server.call('POST', `/${project}/jobs`, { jobReference, configuration })).body
  }
}
