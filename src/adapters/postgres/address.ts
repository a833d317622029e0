import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { EtlError } from '../../domain/error.ts'

/** The environment variables that begin with a database's prefix, without it: `URL`, `HOST`, `SSLROOTCERT` … */
export type AddressVariables = Readonly<Record<string, string | undefined>>

type Address = Pick<pg.ClientConfig, 'host' | 'port' | 'database' | 'user' | 'password' | 'ssl'>

/**
 * Where a database is, as nais says it (Cloud SQL: `envVarPrefix` in naisjob.yaml): `…_URL` wins over the single ones, and its parameters over theirs.
 * @throws EtlError `config` where nothing says it, or a file of a certificate can't be read.
 */
export async function addressOf(database: string, variables: AddressVariables): Promise<Address> {
  const url = variables.URL
  if (url !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
      throw new EtlError('config', `the environment variable ${database}_URL is no address of a Postgres.`, {
        hint: 'write it like postgres://user:password@host:5432/database',
      })
    const decoded = (text: string) => decodedPart(database, text)
    const { hostname, port, pathname, username, password, searchParams } = new URL(url)
    return {
      host: searchParams.get('host') ?? decoded(hostname).replace(/^\[|\]$/g, ''),
      port: Number(port || 5432),
      database: decoded(pathname.slice(1)),
      user: decoded(username),
      password: decoded(password),
      ssl: await tlsOf(database, name => searchParams.get(name) ?? variables[name.toUpperCase()]),
    }
  }
  const needed = ['HOST', 'DATABASE', 'USERNAME', 'PASSWORD'].filter(name => variables[name] === undefined)
  if (needed.length > 0) throw unknown(database, needed)
  return {
    host: variables.HOST as string,
    port: Number(variables.PORT ?? 5432),
    database: variables.DATABASE as string,
    user: variables.USERNAME as string,
    password: variables.PASSWORD as string,
    ssl: await tlsOf(database, name => variables[name.toUpperCase()]),
  }
}

function decodedPart(database: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new EtlError('config', `the environment variable ${database}_URL has a % that begins no character.`, {
      hint: 'write special characters of the password as %XX, a % itself as %25',
    })
  }
}

function unknown(database: string, needed: readonly string[]): EtlError {
  const missing = needed.map(name => `${database}_${name}`).join(', ')
  return new EtlError('config', `where is the database ${database}? Neither ${database}_URL is set, nor ${missing}.`, {
    hint: `in a Job the secret ${database.toLowerCase().replaceAll('_', '-')} has ${database}_URL, and naisjob.yaml names it under envFrom (npm run etl -- manifest). On a laptop: ${database}_URL=postgres://user:password@localhost:5432/database`,
  })
}

/**
 * TLS by libpq's words (PostgreSQL: 32.19 SSL Support). With `verify-ca`, which nais gives, the server's certificate must be signed by that of SSLROOTCERT, and
 * its name isn't looked at: Cloud SQL's is no host's.
 */
async function tlsOf(database: string, option: (name: string) => string | undefined | null): Promise<Address['ssl']> {
  const mode = option('sslmode') ?? (option('sslrootcert') == null ? 'disable' : 'verify-ca')
  if (mode === 'disable' || mode === 'allow' || mode === 'prefer') return false
  if (!['require', 'verify-ca', 'verify-full'].includes(mode))
    throw new EtlError('config', `${database}: sslmode ${mode} is not known.`, {
      hint: 'there are disable, require, verify-ca and verify-full',
    })
  const file = async (name: string) => {
    const path = option(name)
    if (path === undefined || path === null) return undefined
    return readFile(path, 'utf8').catch(cause => {
      throw new EtlError('config', `the file of ${database}_${name.toUpperCase()} can not be read: ${path}.`, { cause })
    })
  }
  const [ca, cert, key] = [await file('sslrootcert'), await file('sslcert'), await file('sslkey')]
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: mode !== 'require' || ca !== undefined,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}
