/** A connection that is to be made, and what is known of the database behind it. */
export type Setup = {
  readonly project: string
  readonly location: string
  readonly connection: string
  /** The cluster of the environment, such as dev-gcp. */
  readonly environment: string
  readonly team: string
  /** Who owns the database: a nais application. */
  readonly app: string | undefined
  readonly instance: string | undefined
  readonly database: string | undefined
  readonly user: string
}

/**
 * What the guide clicks, as a script for bash, to be read and run by a person with the rights: the Postgres user, the connection, the role of the project's BigQuery Connection Service Agent. What
 * isn't known is a variable that the script insists on. BigQuery: Connect to Cloud SQL; nais: postgres users add; Cloud SQL Client is the role that the agent needs.
 */
export function setupScript(setup: Setup): string {
  const { project, location, connection, environment, team, app, instance, database, user } = setup
  const known = (name: string, value: string | undefined, what: string) =>
    value === undefined ? `: "\${${name}:?${what}}"` : `${name}=${quoted(value)}`
  return `# ${connection}: reads a Cloud SQL Postgres from BigQuery, in ${project}. Read it, then run it once, as somebody who may.
set -euo pipefail
PROJECT=${quoted(project)}
LOCATION=${quoted(location)} # where the jobs run: a connection elsewhere can't be used by them
CONNECTION=${quoted(connection)}
${known('APP', app, 'the nais application that owns the database')}
${known('INSTANCE', instance, 'the Cloud SQL instance: gcloud sql instances list')}
${known('DATABASE', database, 'the database in that instance')}
DB_USER=${quoted(user)}
DB_PASSWORD="$(openssl rand -hex 24)"

# 1. A Postgres user that may SELECT in the schema public. For views or other schemas: GRANT SELECT … TO "${user}".
nais postgres users add --team ${quoted(team)} --environment ${quoted(environment)} "$APP" "$DB_USER" "$DB_PASSWORD"

# 2. The connection, with that user's password.
gcloud services enable bigqueryconnection.googleapis.com --project "$PROJECT"
bq mk --connection --project_id "$PROJECT" --location "$LOCATION" --connection_type CLOUD_SQL \\
  --properties "{\\"instanceId\\": \\"$PROJECT:$LOCATION:$INSTANCE\\", \\"database\\": \\"$DATABASE\\", \\"type\\": \\"POSTGRES\\"}" \\
  --connection_credential "{\\"username\\": \\"$DB_USER\\", \\"password\\": \\"$DB_PASSWORD\\"}" "$CONNECTION"

# 3. The service agent that came with it has the project's NUMBER in its name, not its id. It may connect to Cloud SQL.
NUMBER="$(gcloud projects describe "$PROJECT" --format 'value(projectNumber)')"
gcloud projects add-iam-policy-binding "$PROJECT" --condition None --role roles/cloudsql.client \\
  --member "serviceAccount:service-$NUMBER@gcp-sa-bigqueryconnection.iam.gserviceaccount.com"
`
}

/** A word of bash. */
function quoted(text: string): string {
  return /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
