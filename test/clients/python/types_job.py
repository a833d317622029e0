"""Loads every sample of test/clients/values.ts by Google's client, as Parquet and as NDJSON, and compares what a query gives back, as values."""
import io
import json
import math
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from python_values import PYTHON

client = bigquery.Client(project='p', credentials=AnonymousCredentials())
client.create_dataset('types')

ARROW = {
    'INT64': pa.int64(),
    'NUMERIC': pa.decimal128(38, 9),
    'TIMESTAMP': pa.timestamp('us', tz='UTC'),
    'DATE': pa.date32(),
    'DATETIME': pa.timestamp('us'),
    'TIME': pa.time64('us'),
    'BYTES': pa.binary(),
    'BOOL': pa.bool_(),
    'FLOAT64': pa.float64(),
    'JSON': pa.string(),
    'STRING': pa.string(),
}


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isnan(a) and math.isnan(b) or a == b and math.copysign(1, a) == math.copysign(1, b)
    return type(a) is type(b) and a == b


def run(table, sample, kind):
    name, values = sample['type'], [PYTHON[sample['type']](text) for text in sample['values']]
    rows = client.query(f'SELECT v, l, r FROM `p.types.{table}` ORDER BY i').result()
    got = [(row.v, row.l, [each['x'] for each in row.r]) for row in rows]
    assert len(got) == len(values) + 1, f'{name} {kind}: {len(got)} rows'
    for value, (v, l, r) in zip(values, got):
        fits = same(v, value) and len(l) == 1 and same(l[0], value) and len(r) == 2 and same(r[0], value) and r[1] is None
        assert fits, f'{name} {kind}: {value!r} came back as {v!r}, {l!r}, {r!r}'
    assert got[-1] == (None, [], []), f'{name} {kind}: nulls came back as {got[-1]!r}'
    print(name, kind, len(values))


def schema(type):
    field = bigquery.SchemaField
    record = field('r', 'RECORD', mode='REPEATED', fields=[field('x', type)])
    return [field('i', 'INT64'), field('v', type), field('l', type, mode='REPEATED'), record]


def parquet(sample):
    type, values = ARROW[sample['type']], [PYTHON[sample['type']](text) for text in sample['values']]
    if sample['type'] == 'JSON':
        values = sample['values']
    rows = [{'i': i, 'v': v, 'l': [v], 'r': [{'x': v}, {'x': None}]} for i, v in enumerate(values)]
    rows.append({'i': len(values), 'v': None, 'l': [], 'r': []})
    shape = pa.schema([('i', pa.int64()), ('v', type), ('l', pa.list_(type)), ('r', pa.list_(pa.struct([('x', type)])))])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=shape), out)
    out.seek(0)
    options = bigquery.ParquetOptions()
    options.enable_list_inference = True
    config = bigquery.LoadJobConfig(source_format='PARQUET', schema=schema(sample['type']), parquet_options=options)
    table = sample['name'] + '_parquet'
    client.load_table_from_file(out, f'p.types.{table}', job_config=config).result()
    run(table, sample, 'parquet')


def ndjson(sample):
    def sent(text):
        value = PYTHON[sample['type']](text)
        return value.isoformat() if sample['type'] == 'TIMESTAMP' else value if sample['type'] in ('BOOL', 'JSON') else text

    # A JSON null is SQL's NULL in NDJSON, and an array can't hold that.
    sample = {**sample, 'values': [text for text in sample['values'] if text != 'null']}
    rows = [{'i': i, 'v': sent(text), 'l': [sent(text)], 'r': [{'x': sent(text)}, {'x': None}]} for i, text in enumerate(sample['values'])]
    rows.append({'i': len(rows)})
    table = sample['name'] + '_ndjson'
    client.load_table_from_json(rows, f'p.types.{table}', job_config=bigquery.LoadJobConfig(schema=schema(sample['type']))).result()
    run(table, sample, 'ndjson')


for each in json.load(sys.stdin):
    ndjson(each)
    # Parquet's decimals of 76 digits are refused by the local server: BIGNUMERIC goes as NDJSON or as STRING.
    if each['type'] in ARROW:
        parquet(each)
