import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { etl } from '../support/etl.ts'
import { root } from '../support/project.ts'

const known = ['--app', 'nada-backend', '--instance', "nada's", '--database', 'nada']
const setup = (...args: string[]) => etl(root, ['federated', 'setup', 'dataprodukter', ...args])

test('prints a script that makes user, connection and role, each with the right names', async () => {
  const { code, stdout } = await setup('--project', 'nada-dev-db2e', ...known)
  expect(code).toBe(0)
  const dir = await mkdtemp(join(tmpdir(), 'setup-'))
  try {
    // The tools of the guide, which write down how they were called.
    for (const tool of ['nais', 'gcloud', 'bq', 'openssl']) {
      const said =
        tool === 'gcloud' ? 'case "$*" in *describe*) echo 123456789;; esac' : tool === 'openssl' ? 'echo hemmelig' : ''
      await writeFile(join(dir, tool), `#!/bin/bash\n(echo ${tool}; printf '%s\\n' "$@"; echo) >> "${dir}/called"\n${said}\n`, {
        mode: 0o755,
      })
    }
    const ran = spawnSync('bash', [], { input: stdout, env: { PATH: `${dir}:/usr/bin:/bin` }, encoding: 'utf8' })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    const called = (await readFile(join(dir, 'called'), 'utf8')).split('\n\n').map(call => call.split('\n'))
    const call = (...words: string[]) => called.find(each => words.every(word => each.includes(word))) ?? []
    expect(call('nais')).toEqual(
      'nais postgres users add --team nais-analyse --environment dev-gcp nada-backend bigquery hemmelig'.split(' '),
    )
    const connection = call('bq')
    expect(connection).toEqual(expect.arrayContaining(['--connection', 'CLOUD_SQL', 'europe-north1', 'nada-dev-db2e']))
    expect(connection.at(-1)).toBe('nada-dev')
    const properties = JSON.parse(connection[connection.indexOf('--properties') + 1] ?? '')
    expect(properties).toEqual({ instanceId: "nada-dev-db2e:europe-north1:nada's", database: 'nada', type: 'POSTGRES' })
    expect(call('gcloud', 'add-iam-policy-binding')).toEqual(
      expect.arrayContaining([
        'roles/cloudsql.client',
        'serviceAccount:service-123456789@gcp-sa-bigqueryconnection.iam.gserviceaccount.com',
      ]),
    )
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('what is not known, the script insists on; prod has its own names', async () => {
  const { stdout } = await setup('--project', 'nada-prod-6977', '--env', 'prod')
  expect(stdout).toContain('CONNECTION=nada\n')
  expect(stdout).toContain('--environment prod-gcp')
  const ran = spawnSync('bash', [], { input: stdout, env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' })
  expect(ran.status).not.toBe(0)
  expect(ran.stderr).toContain('the nais application that owns the database')
})

test('says what is missing', async () => {
  expect((await setup()).all).toContain('which Google Cloud project? Nobody said. Hint: add --project NAME')
  expect((await etl(root, ['federated', 'setup', 'apps-per-env', '--project', 'x'])).all).toContain(
    'apps-per-env has no federated source.',
  )
  expect((await etl(root, ['federated', 'make', 'dataprodukter'])).all).toContain('there is only `federated setup NAME`')
})
