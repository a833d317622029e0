import type { Command } from './command.ts'
import { runLocalServer } from './local-server.ts'

export const local: Command = {
  name: 'local',
  summary: 'a local BigQuery server, for any client',
  usage: '[--port N] [--dir DIR]',
  help: `Starts a local BigQuery: the REST API on this machine only, rows in DuckDB, SQL by Google's own evaluator. It prints its address when it is ready and
runs until Ctrl-C. What lies in DIR survives the end of the process. What it can't do it refuses in a sentence (docs/local-bigquery.md has the list).

  --port N         the port (9050 if left out; 0: the system chooses)
  --dir DIR        where its data lies (.etl/local if left out)

Clients need two options, as for any emulator: the address, and no credentials.
  this project     BIGQUERY_EMULATOR_HOST=http://127.0.0.1:9050 npm run etl -- run apps-per-env
  Node             new BigQuery({ projectId: 'p', apiEndpoint: 'http://127.0.0.1:9050', authClient: new PassThroughClient() })   // google-auth-library
  Python           bigquery.Client(project='p', credentials=AnonymousCredentials(), client_options={'api_endpoint': 'http://127.0.0.1:9050'})

Examples
  npm run etl -- local
  npm run etl -- local --port 0 --dir .etl/demo`,
  options: { port: { type: 'string' }, dir: { type: 'string' } },
  words: { least: 0, most: 0 },
  run: context =>
    runLocalServer(
      ['--port', String(context.flags.port ?? '9050'), '--dir', String(context.flags.dir ?? '.etl/local')],
      context.signal,
    ),
}
