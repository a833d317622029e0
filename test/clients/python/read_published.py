"""Reads tables by Google's client and compares every row with what standard input says, as Python's own values."""
import json
import math
import sys

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from python_values import PYTHON


def wanted(column, cell):
    if column['mode'] == 'REPEATED':
        return [wanted({**column, 'mode': 'NULLABLE'}, each) for each in cell]
    if cell is None:
        return None
    if column['type'] == 'RECORD':
        return {field['name']: wanted(field, cell[field['name']]) for field in column['fields']}
    return PYTHON[column['type']](cell)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b) or a == b and math.copysign(1, a) == math.copysign(1, b)
    return a == b


given = json.load(sys.stdin)
columns, rows = given['columns'], given['rows']
client = bigquery.Client(project=given['project'], credentials=AnonymousCredentials())
for table, query in given['queries'].items():
    got = list(client.query(query).result())
    assert len(got) == len(rows), f'{table}: {len(got)} rows'
    for expected, row in zip(rows, got):
        for column in columns:
            name = column['name']
            value = wanted(column, expected[name])
            assert same(row[name], value), f'{table}, row {expected["id"]}, {name}: {value!r} came back as {row[name]!r}'
    print(table, len(got))
