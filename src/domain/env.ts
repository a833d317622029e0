import { EtlError } from './error.ts'

/** A name that differs between environments: `env({ dev: 'nada-dev', prod: 'nada' })`. */
export type PerEnv = { readonly kind: 'env'; readonly names: Readonly<Record<string, string>> }

/** A name, the same everywhere or one for each environment. */
export type Name = string | PerEnv

/** Says a name for each environment; `--env` chooses on a laptop, the cluster (`dev-gcp`, `prod-gcp`) in production. */
export function env<const N extends { readonly dev: string; readonly prod: string } & Readonly<Record<string, string>>>(
  names: N,
): PerEnv {
  return { kind: 'env', names }
}

/**
 * The name in one environment.
 * @throws EtlError `config` if that environment has none.
 */
export function nameIn(name: Name, environment: string): string {
  if (typeof name === 'string') return name
  const found = name.names[environment]
  if (found === undefined) {
    const known = Object.keys(name.names).join(', ')
    throw new EtlError('config', `no name for the environment ${environment} (there are: ${known}).`, {
      hint: `add it to env({ … }), or choose one with --env`,
    })
  }
  return found
}
