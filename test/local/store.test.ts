import { describe, expect, test } from 'vitest'
import { call, client, ended, load, parquet } from './support/client.ts'
import { type ServerProcess, startProcess, temporaryFolder } from './support/server.ts'

describe('state survives kill -9', () => {
  test('after each request of a sequence, everything that was answered is there', async () => {
    const { dir, remove } = temporaryFolder()
    let server: ServerProcess = await startProcess(dir)
    const again = async () => {
      await server.kill()
      server = await startProcess(dir)
    }
    const dataset = () => client(server.url).dataset('d')
    const rows = async (name: string) => (await dataset().table(name).getRows())[0]

    await client(server.url).createDataset('d', { labels: { a: '1' } })
    await again()
    expect((await dataset().getMetadata())[0].labels).toEqual({ a: '1' })

    await dataset().createTable('t', { schema: 'n:INT64,s:STRING' })
    await again()
    await dataset().table('t').setMetadata({ description: 'kept' })
    await again()
    expect((await dataset().table('t').getMetadata())[0]).toMatchObject({ description: 'kept', numRows: '0' })

    const path = await parquet(dir, "SELECT i AS n, 's' || i AS s FROM range(5000) AS r(i)")
    await load(client(server.url), 'd', 't', path, { jobId: 'loaded' })
    await again()
    expect((await dataset().table('t').getMetadata())[0].numRows).toBe('5000')
    expect((await ended(client(server.url).job('loaded'))).statistics.load.outputRows).toBe('5000')

    await client(server.url).query('DELETE FROM `p.d.t` WHERE n >= 2')
    await again()
    expect(await rows('t')).toEqual([
      { n: 0, s: 's0' },
      { n: 1, s: 's1' },
    ])

    const [job] = await client(server.url).createQueryJob({ query: 'SELECT n FROM `p.d.t` ORDER BY n DESC', jobId: 'asked' })
    await ended(job)
    await again()
    expect((await call(server.url, 'GET', '/projects/p/queries/asked')).body.rows).toEqual([
      { f: [{ v: '1' }] },
      { f: [{ v: '0' }] },
    ])

    await dataset().table('t').delete()
    await again()
    expect(await dataset().table('t').exists()).toEqual([false])
    expect(await server.stop()).toBe(0)
    remove()
  })

  test('a load that was killed before its commit failed, left nothing, and its id stays used', async () => {
    const { dir, remove } = temporaryFolder()
    const first = await startProcess(dir)
    await client(first.url).createDataset('d')
    const path = await parquet(dir, 'SELECT 1 AS n')
    await call(first.url, 'POST', '/_local/faults', { kind: 'holdCommit' })
    await client(first.url).dataset('d').table('t').createLoadJob(path, { sourceFormat: 'PARQUET', jobId: 'killed' })
    await held(first.url)
    await first.kill()

    const second = await startProcess(dir)
    const { status } = await ended(client(second.url).job('killed'))
    expect(status.errorResult).toEqual({
      reason: 'backendError',
      message:
        'The local server was stopped while this job ran. What the job had committed stays, the rest is undone. Look at the tables, then run it again with another job id.',
    })
    expect(await client(second.url).dataset('d').table('t').exists()).toEqual([false])
    const again = await call(second.url, 'POST', '/projects/p/jobs', {
      jobReference: { jobId: 'killed' },
      configuration: { query: { query: 'SELECT 1', useLegacySql: false } },
    })
    expect(again.status).toBe(409)
    await second.stop()
    remove()
  })

  test('killed in the midst of many loads, each job that is done has its rows once, and each that failed has none', async () => {
    const { dir, remove } = temporaryFolder()
    let server = await startProcess(dir)
    await client(server.url).createDataset('d')
    const jobs = Array.from({ length: 24 }, (_, n) => `load_${n}`)
    const paths = await Promise.all(jobs.map((_, n) => parquet(dir, `SELECT ${n} AS n, i FROM range(2000) AS r(i)`)))
    for (const [round, wait] of [10, 60, 150].entries()) {
      const table = `t${round}`
      const begun = jobs.map((job, n) =>
        client(server.url)
          .dataset('d')
          .table(n % 2 === 0 ? table : `${table}_${n}`)
          .createLoadJob(paths[n] ?? '', { sourceFormat: 'PARQUET', jobId: `${job}_${round}` })
          .catch(() => undefined),
      )
      await Promise.race(begun)
      await new Promise(later => setTimeout(later, wait))
      await server.kill()
      await Promise.all(begun)
      server = await startProcess(dir)
      const counted = async (name: string) => {
        if (!(await client(server.url).dataset('d').table(name).exists())[0]) return new Map()
        const [rows] = await client(server.url).query(`SELECT n, COUNT(*) AS c FROM \`p.d.${name}\` GROUP BY n`)
        return new Map(rows.map((row: { n: number; c: number }) => [row.n, row.c]))
      }
      const shared = await counted(table)
      for (const [n, job] of jobs.entries()) {
        const found = await call(server.url, 'GET', `/projects/p/jobs/${job}_${round}`)
        const isDone = found.status === 200 && found.body.status.errorResult === undefined
        if (found.status === 200) expect(found.body.status.state).toBe('DONE')
        const rows = n % 2 === 0 ? shared : await counted(`${table}_${n}`)
        expect([job, rows.get(n)]).toEqual([job, isDone ? 2000 : undefined])
      }
    }
    await server.stop()
    remove()
  }, 60_000)

  test('a script that was killed before its COMMIT left nothing', async () => {
    const { dir, remove } = temporaryFolder()
    const first = await startProcess(dir)
    await client(first.url).createDataset('d')
    await load(client(first.url), 'd', 't', await parquet(dir, 'SELECT 1 AS n'))
    await call(first.url, 'POST', '/_local/faults', { kind: 'holdCommit' })
    const query = 'BEGIN TRANSACTION; TRUNCATE TABLE `p.d.t`; INSERT INTO `p.d.t` (n) VALUES (2); COMMIT TRANSACTION;'
    await client(first.url).createQueryJob({ query, jobId: 'script' })
    await held(first.url)
    await first.kill()

    const second = await startProcess(dir)
    expect((await client(second.url).dataset('d').table('t').getRows())[0]).toEqual([{ n: 1 }])
    expect((await ended(client(second.url).job('script'))).status.errorResult.reason).toBe('backendError')
    await second.stop()
    remove()
  })
})

/** Waits until a job stands right before its commit. */
async function held(url: string): Promise<void> {
  while ((await call(url, 'GET', '/_local/faults')).body.held === 0) await new Promise(later => setTimeout(later, 20))
}
