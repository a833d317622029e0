"""What Google's Python client makes of the local server's answers: errors as its exceptions, DML, scripts, paging, dry runs, jobs."""
import io

import google.cloud.bigquery.client as module
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

client = bigquery.Client(project='p', credentials=AnonymousCredentials())


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f'{kind.__name__} was expected')


dataset = client.create_dataset('d')
refused(exceptions.Conflict, lambda: client.create_dataset('d'))
assert client.create_dataset('d', exists_ok=True).dataset_id == 'd'
refused(exceptions.NotFound, lambda: client.get_table('p.d.nope'))

schema = [bigquery.SchemaField('n', 'INTEGER', mode='REQUIRED'), bigquery.SchemaField('s', 'STRING')]
table = client.create_table(bigquery.Table('p.d.t', schema=schema))
table.description = 'first'
stale = client.get_table('p.d.t')
client.update_table(table, ['description'])
stale.description = 'second'
refused(exceptions.PreconditionFailed, lambda: client.update_table(stale, ['description']))

inserted = client.query("INSERT INTO `p.d.t` (n, s) VALUES (1, 'a'), (2, 'b'), (3, NULL)")
assert list(inserted.result()) == []
assert inserted.num_dml_affected_rows == 3 and inserted.statement_type == 'INSERT'

rows = client.query('SELECT n, s FROM `p.d.t` ORDER BY n').result(page_size=2)
assert [tuple(row) for row in rows] == [(1, 'a'), (2, 'b'), (3, None)] and rows.total_rows == 3
assert [row.n for row in client.list_rows('p.d.t', page_size=2)] == [1, 2, 3]
assert [tuple(row) for row in client.list_rows('p.d.t', selected_fields=schema[1:], max_results=1)] == [('a',)]
assert client.get_table('p.d.t').num_rows == 3

config = bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter('n', 'INT64', 2)])
assert [row.s for row in client.query_and_wait('SELECT s FROM `p.d.t` WHERE n = @n', job_config=config)] == ['b']

dry = client.query('SELECT n FROM `p.d.t`', job_config=bigquery.QueryJobConfig(dry_run=True))
assert [field.name for field in dry.schema] == ['n'] and dry.total_bytes_processed == 24

script = client.query('BEGIN TRANSACTION; DELETE FROM `p.d.t` WHERE n = 1; COMMIT TRANSACTION; SELECT COUNT(*) AS left_over FROM `p.d.t`;')
assert [row.left_over for row in script.result()] == [2]

failed = client.query("SELECT ERROR('why not')", job_id='failed')
assert 'why not' in str(refused(exceptions.BadRequest, failed.result))
refused(exceptions.Conflict, lambda: client.query('SELECT 1', job_id='failed', job_retry=None))
assert client.get_job('failed').error_result['reason'] == 'invalidQuery'
assert 'failed' in [job.job_id for job in client.list_jobs()]

# More than 5 MB goes by resumable upload, here in several chunks.
text = b''.join(b'{"n": %d, "s": "%s"}\n' % (n, b'x' * 100) for n in range(100_000))
config = bigquery.LoadJobConfig(source_format='NEWLINE_DELIMITED_JSON', schema=schema)
module._DEFAULT_CHUNKSIZE = 4 * 1024 * 1024
assert client.load_table_from_file(io.BytesIO(text), 'p.d.large', job_config=config).result().output_rows == 100_000

client.delete_dataset('d', delete_contents=True)
refused(exceptions.NotFound, lambda: client.get_dataset('d'))
print('done')
