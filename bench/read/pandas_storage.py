# The same rows as a frame by Google's client and the Storage Read API. `python pandas_storage.py URL STORAGE TABLE`; prints its figures as one JSON line.
import json, os, resource, sys, time

url, storage, name = sys.argv[1:4]
os.environ["BIGQUERY_EMULATOR_HOST"] = url
import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, bigquery_storage
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

client = bigquery.Client(project="test-project", credentials=AnonymousCredentials(), client_options={"api_endpoint": url})
channel = grpc.insecure_channel(storage, options=[("grpc.max_receive_message_length", -1)])
reads = bigquery_storage.BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
started = time.monotonic()
df = client.query(f"SELECT dato, cluster FROM `test-project.inn.{name}`").result().to_dataframe(bqstorage_client=reads)
seconds = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"rows": len(df), "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "mebibytes": used.ru_maxrss / 1024}))
