import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addressOf } from '../../../src/adapters/postgres/address.ts'
import { createPostgresReader } from '../../../src/adapters/postgres/reader.ts'
import { bq, pg, postgres, row } from '../../../src/index.ts'
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts'
import { reachOf } from './reach.ts'

const pieces = { HOST: 'db.intern', DATABASE: 'sak', USERNAME: 'leser', PASSWORD: 'p@ss/ord' }

describe('an address', () => {
  test('in pieces, with the usual port and without TLS where nobody says so', async () => {
    const { PASSWORD: password } = pieces
    expect(await addressOf('SAK_DB', pieces)).toEqual({
      host: 'db.intern',
      port: 5432,
      database: 'sak',
      user: 'leser',
      password,
      ssl: false,
    })
  })
  test('a URL wins, with what is escaped in it', async () => {
    const URL = 'postgresql://l%40ser:p%2Fq%3A@[::1]:6432/s%20k?sslmode=disable'
    expect(await addressOf('SAK_DB', { ...pieces, URL, SSLMODE: 'verify-full' })).toEqual({
      ...{ host: '::1', port: 6432, database: 's k', user: 'l@ser', password: 'p/q:', ssl: false },
    })
  })
  test.each([
    [
      {},
      'where is the database SAK_DB? Neither SAK_DB_URL is set, nor SAK_DB_HOST, SAK_DB_DATABASE, SAK_DB_USERNAME, SAK_DB_PASSWORD.',
    ],
    [{ ...pieces, PASSWORD: undefined }, 'nor SAK_DB_PASSWORD.'],
    [{ URL: 'postgres://l:p%zz@x:5432/y' }, 'the environment variable SAK_DB_URL has a % that begins no character.'],
    [{ URL: 'mysql://hemmelig@x/y' }, 'the environment variable SAK_DB_URL is no address of a Postgres.'],
    [
      { ...pieces, SSLMODE: 'verify' },
      'SAK_DB: sslmode verify is not known. Hint: there are disable, require, verify-ca and verify-full',
    ],
    [{ ...pieces, SSLROOTCERT: '/nowhere/ca.pem' }, 'the file of SAK_DB_SSLROOTCERT can not be read: /nowhere/ca.pem.'],
  ] as const)('%j is refused', async (variables, problem) => {
    const error = await addressOf('SAK_DB', variables).catch(error => error)
    expect(error).toMatchObject({ kind: 'config' })
    expect(error.message).toContain(problem)
    expect(error.message).not.toContain('hemmelig')
  })
})

const openssl = hasOpenssl()
// Certificates can't be made by node itself.
describe.skipIf(!openssl)('TLS, as nais gives it', () => {
  let server: TestPostgres
  let dir: string
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'etl-tls-'))
    const make = (name: string) =>
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
          '-subj',
          `/CN=${name}`,
          '-keyout',
          join(dir, `${name}.key`),
          '-out',
          join(dir, `${name}.pem`),
        ],
        { stdio: 'ignore' },
      )
    make('server')
    make('other')
    chmodSync(dir, 0o755)
    // Postgres as root runs as nobody, and takes no key that others may read.
    if (process.getuid?.() === 0) for (const path of [dir, join(dir, 'server.key')]) chownSync(path, 65534, 65534)
    chmodSync(join(dir, 'server.key'), 0o600)
    server = await startTestPostgres({ ssl: 'on', ssl_cert_file: join(dir, 'server.pem'), ssl_key_file: join(dir, 'server.key') })
  })
  afterAll(async () => {
    await server?.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const facts = (more: Record<string, string>) => {
    const Tls = row({ id: bq.int64() })
    const source = postgres(Tls, 'SAK_DB', pg`SELECT 1::bigint AS id`)
    return createPostgresReader({ ...reachOf(server), variables: () => ({ URL: server.url(), ...more }) }).facts(source)
  }
  test('verify-ca looks at who signed and not at the name', async () => {
    expect(await facts({ SSLMODE: 'verify-ca', SSLROOTCERT: join(dir, 'server.pem') })).toMatchObject({
      columns: [{ name: 'id' }],
    })
  })
  test('another certificate, or another name where that counts, is refused', async () => {
    for (const more of [
      { SSLMODE: 'verify-ca', SSLROOTCERT: join(dir, 'other.pem') },
      { SSLMODE: 'verify-full', SSLROOTCERT: join(dir, 'server.pem') },
    ]) {
      const error = await facts(more).catch(error => error)
      expect(error).toMatchObject({ kind: 'denied' })
      expect(error.message).toContain('Postgres SAK_DB: the TLS connection was refused.')
    }
  })
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    process.stderr.write('no openssl: the tests of TLS to Postgres are left out\n')
    return false
  }
}
