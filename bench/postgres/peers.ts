import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

type Figures = { readonly rows: number; readonly seconds: number; readonly cpu: number; readonly mebibytes: number }

/** A Python that has the peers: `python3 -m venv …; pip install connectorx pyarrow duckdb==1.5.5 duckdb-extension-postgres-scanner==1.5.5`. */
const python = process.env.BENCH_PYTHON ?? 'python3'
const columns = 'id, tekst, oppdatert, dato, belop, aktiv, antall, slag::text AS slag, merknad, uid::text AS uid'

/** The same rows to Parquet by what others have, each in a process of its own. */
export const peers: Readonly<Record<string, (url: string) => Promise<Figures>>> = {
  connectorx: url =>
    measured(`import connectorx, pyarrow.parquet as pq
t = connectorx.read_sql(${JSON.stringify(url)}, "SELECT ${columns} FROM maalinger", return_type="arrow")
pq.write_table(t, out, compression="zstd")
rows = t.num_rows`),
  'DuckDB postgres extension, a table': url => extension(url, `SELECT ${columns} FROM pg.public.maalinger`),
  'DuckDB postgres extension, a query': url =>
    extension(url, `SELECT * FROM postgres_query('pg', 'SELECT ${columns} FROM maalinger')`),
}

function extension(url: string, sql: string): Promise<Figures> {
  const { hostname, port, username, password } = new URL(url)
  return measured(`import duckdb, duckdb_extension_postgres_scanner, glob, os
file = glob.glob(os.path.dirname(duckdb_extension_postgres_scanner.__file__) + "/extensions/*/*.duckdb_extension")[0]
c = duckdb.connect(config={"allow_unsigned_extensions": "true", "memory_limit": "256MB", "threads": 2})
c.execute(f"LOAD '{file}'")
c.execute("ATTACH 'host=${hostname} port=${port} user=${username} password=${password} dbname=postgres' AS pg (TYPE postgres, READ_ONLY)")
c.execute("""COPY (${sql}) TO '""" + out + """' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)""")
rows = c.execute("SELECT count(*) FROM '" + out + "'").fetchone()[0]`)
}

async function measured(program: string): Promise<Figures> {
  const text = `import json, resource, tempfile, time
out = tempfile.mkdtemp() + "/peer.parquet"
began = time.time()
${program}
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"rows": rows, "seconds": time.time() - began, "cpu": used.ru_utime + used.ru_stime, "mebibytes": used.ru_maxrss / 1024}))`
  const { stdout } = await promisify(execFile)(python, ['-c', text])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
}
