/** How a program uses the local BigQuery: for `etl local --help` and the documentation. */
export const clientHelp = `Clients need an endpoint and no credentials.

  Environment (this project, and Google's clients by convention)
    export BIGQUERY_EMULATOR_HOST=http://127.0.0.1:PORT

  Node (@google-cloud/bigquery, google-auth-library)
    new BigQuery({ projectId: 'my-project', apiEndpoint: 'http://127.0.0.1:PORT', authClient: new PassThroughClient() })

  Python (google-cloud-bigquery)
    bigquery.Client(project='my-project', credentials=AnonymousCredentials(),
                    client_options=ClientOptions(api_endpoint='http://127.0.0.1:PORT'))
    Rows: to_dataframe(create_bqstorage_client=False); pandas_gbq: pass the client as bigquery_client=...

Any project name works; a dataset has to be made before its tables, as on the service.
`
