import type { ParseArgsOptionsConfig } from 'node:util'
import type { RunRequest, Settings } from '../engine/settings.ts'
import type { Cluster, Examiner } from '../ports/doctor.ts'
import type { Ports } from '../ports/index.ts'

/** A command of `etl`: one file each. */
export type Command = {
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** What follows the name: `NAME [--limit N]`. */
  readonly usage: string
  /** Whole help: what it does, its flags, examples. One literal. */
  readonly help: string
  readonly options: ParseArgsOptionsConfig
  /** Does it speak in log lines where there is no terminal? */
  readonly logs?: true
  /** How many plain words it takes. */
  readonly words: { readonly least: number; readonly most: number }
  /** @returns the exit code, 0 if nothing. Throws EtlError. */
  run(context: Context): Promise<number | undefined>
}

/** What a command is given. */
export type Context = {
  readonly words: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly out: Out
  /** The project's folder. */
  readonly root: string
  readonly json: boolean
  readonly interactive: boolean
  /** Which names of env({ … }), which project, where; and who said so. */
  readonly chosen: Chosen
  readonly signal: AbortSignal
  /** The cluster that this machine's kubectl is set to. */
  cluster(): Promise<Cluster>
  /**
   * A run's settings for the world that the flags chose. `endpoint` is that of a local server which the command started, `databases` the addresses of Postgres databases of its own, by their names
   * in pipelines.
   */
  world(options?: {
    readonly endpoint?: string
    readonly report?: 'human' | 'quiet'
    readonly databases?: Readonly<Record<string, string>>
  }): Promise<World>
}

/** What flags and environment chose. */
type Chosen = {
  readonly environment: string
  readonly project: string | undefined
  readonly location: string
  /** The address of a local BigQuery; undefined is the service. */
  readonly endpoint: string | undefined
  readonly said: { readonly environment: string; readonly project: string; readonly location: string }
}

export type World = {
  readonly ports: Ports
  readonly settings: Settings
  readonly request: RunRequest
  /** For `doctor`, which looks at more than a run does. */
  readonly examiner: () => Promise<Examiner>
}

/** Where a command writes: people's text or data on stdout. */
type Out = { line(text?: string): void; data(value: unknown): void }

/** Flags that every command which reads or writes BigQuery takes. */
export const worldOptions = {
  env: { type: 'string' },
  project: { type: 'string' },
  json: { type: 'boolean' },
  dir: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig

/** Their help. */
export const worldHelp = `  --env NAME       dev or prod: which names of env({ … }); the cluster decides on nais (dev if nobody says)
  --project NAME   the Google Cloud project (GOOGLE_CLOUD_PROJECT on nais)
  --dir DIR        use a local BigQuery whose data lies in DIR, started for this command (npm start leaves .etl/demo)
  --json           data as JSON`
