# The first half of the founding guide's job: the rows as a frame, by pandas_gbq. `python pandas_job.py URL TABLE`; prints its figures as one JSON line.
import json, os, resource, sys, time

url, name = sys.argv[1:3]
os.environ["BIGQUERY_EMULATOR_HOST"] = url
import pandas_gbq
from google.auth.credentials import AnonymousCredentials

pandas_gbq.context.credentials, pandas_gbq.context.project = AnonymousCredentials(), "bench"
started = time.monotonic()
df = pandas_gbq.read_gbq(f"SELECT dato, cluster FROM `bench.inn.{name}`", progress_bar_type=None)
seconds = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"rows": len(df), "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "mebibytes": used.ru_maxrss / 1024}))
