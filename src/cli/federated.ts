import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nameIn } from '../domain/env.ts'
import { EtlError } from '../domain/error.ts'
import { deploymentOf } from '../nais/deployment.ts'
import { setupScript } from '../nais/federated.ts'
import type { Command } from './command.ts'
import { loadPipeline } from './pipelines.ts'

const usual = 'bigquery'

export const federated: Command = {
  name: 'federated',
  summary: 'print what makes the connection of a federated source: user, connection, role',
  usage: 'setup NAME [--app APP] [--instance I] [--database D]',
  help: `Prints a script for bash that does what the guide clicks, for each connection that the pipeline NAME reads: a Postgres user, the BigQuery connection with its password, and the role that
the project's service agent needs. It changes nothing itself: read it, and run it as somebody who may. The job's own right to use connections comes with naisjob.yaml, and \`doctor\` asks the
connection.

  --app APP        the nais application that owns the database
  --instance I     its Cloud SQL instance
  --database D     the database in it
  --user U         the Postgres user to be made (${usual} if left out)
  --env NAME       dev or prod: which names of env({ … })
  --project NAME   the Google Cloud project

Examples
  npm run etl -- federated setup dataprodukter --project nada-dev-db2e --app nada-backend > setup.sh
  npm run etl -- federated setup dataprodukter --env prod --project nada-prod-6977 --app nada-backend --instance nada-backend --database nada`,
  options: {
    app: { type: 'string' },
    instance: { type: 'string' },
    database: { type: 'string' },
    user: { type: 'string' },
    env: { type: 'string' },
    project: { type: 'string' },
  },
  words: { least: 2, most: 2 },
  async run({ words: [what, name = ''], flags, root, chosen, out }) {
    if (what !== 'setup')
      throw new EtlError('usage', `etl federated ${what}: there is only \`federated setup NAME\`.`, {
        hint: '`--help` shows examples',
      })
    const pipeline = await loadPipeline(root, name)
    const { environment, location, project } = chosen
    const connections = Object.values(pipeline.from).flatMap(source =>
      source.kind === 'external' ? [nameIn(source.connection, environment)] : [],
    )
    if (connections.length === 0)
      throw new EtlError('usage', `${name} has no federated source.`, { hint: 'a federated source is external(…)' })
    const { team } = deploymentOf(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
    const scripts = [...new Set(connections)].map(text => {
      const [connection = '', where = location, ...owner] = text.split('.').reverse()
      const of = owner.length > 0 ? owner.reverse().join('.') : project
      if (of === undefined)
        throw new EtlError('config', 'which Google Cloud project? Nobody said.', { hint: 'add --project NAME' })
      const known = (flag: string) => (typeof flags[flag] === 'string' ? flags[flag] : undefined)
      return setupScript({
        project: of,
        location: where,
        connection,
        environment: `${environment}-gcp`,
        team,
        app: known('app'),
        instance: known('instance'),
        database: known('database'),
        user: known('user') ?? usual,
      })
    })
    out.line(scripts.join('\n').trimEnd())
    out.line(`\n# 4. Does it answer?\n# npm run etl -- doctor ${name} --env ${environment}`)
    return 0
  },
}
