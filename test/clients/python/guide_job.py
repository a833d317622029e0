# The job of the guide "Python ETL-pipeline på nais 101", put together from its pieces of main.py. Four things are changed, and only these:
#   1. df.to_gbq(…) is pandas_gbq.to_gbq(df, …): pandas 3 has no DataFrame.to_gbq
#   2. the name of the source table
#   3. the date of the guide's rows, 2022-20-01, is 2022-01-20 (in fixtures/apps-per-env/guide; no line here names a date)
#   4. anonymous credentials and the project, which on nais come from the platform
# The guide shows count_apps and where its result goes, but not the line that calls it; that line stands between the two.
import pandas_gbq

from google.auth.credentials import AnonymousCredentials; pandas_gbq.context.credentials, pandas_gbq.context.project = AnonymousCredentials(), 'nais-analyse-prod-2dcc'  # changed: 4

query = 'SELECT * FROM `nais-prod-b6f2.dataproduct_apps.unique`'  # changed: 2
df = pandas_gbq.read_gbq(query)


def count_apps(df):
    df['antall_apper'] = 1

    df['env'] = 'dev'
    df.loc[df['cluster'].str.contains('prod'), 'env'] = 'prod'

    df['datacenter'] = 'on_prem'
    df.loc[df['cluster'].str.contains('gcp'), 'datacenter'] = 'gcp'

    df = df.groupby(['dato', 'env', 'datacenter'])['antall_apper'].count().reset_index()

    return df


df = count_apps(df)

project_id = 'nais-analyse-prod-2dcc'
dataset = 'apps_aggregated'
table = 'apps_per_env'

destination_table = f'{project_id}.{dataset}.{table}'

table_schema = [
  {'name': 'dato', 'type': 'DATE'},
  {'name': 'env', 'type': 'STRING'},
  {'name': 'datacenter', 'type': 'STRING'},
  {'name': 'antall_apper', 'type': 'INT'}
]

pandas_gbq.to_gbq(df,  # changed: 1
  destination_table=destination_table, 
  table_schema=table_schema,
  if_exists='replace'
)
