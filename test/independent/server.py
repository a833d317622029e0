"""
Starts local-bigquery 0.3.2 without its DuckDB extensions, which it would download at its first request: plain DuckDB files instead of DuckLake, icu from
the wheel of duckdb 1.5.6. What is lost by that: time travel, GEOGRAPHY, EXTERNAL_QUERY. It replaces private names of that version, so requirements.txt
pins it and all that it needs. Ends when its standard input does: whoever started it may be killed.

Two defects are mended: its MERGE tries BEGIN to learn whether a transaction is open, which makes DuckDB 1.5.6 give up the one that is; and its
CAST(NUMERIC AS STRING) writes nine decimals, where BigQuery writes none that are 0.
"""

import functools
import os
import sys
import threading

import duckdb
from local_bigquery import cli
from local_bigquery.engine import database as d
from local_bigquery.jobs import merge
from local_bigquery.sql.rules import NODE_RULES
from local_bigquery.sql.rules.typing import DECIMALS, kind
from sqlglot import exp


def attach(con, project):
    path = f"{d.settings.data_dir / project}.duckdb"
    con.execute(f"ATTACH IF NOT EXISTS '{path}' AS {d.quote(project)}")
    d._attached.add(project)


@functools.cache
def connect():
    settings = d.settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(
        f"SET GLOBAL TimeZone='UTC'; ATTACH '{settings.data_dir / '_jobs.duckdb'}' AS emulator; "
        f"{d.EMULATOR_SCHEMA} ATTACH ':memory:' AS bq"
    )
    d.native.register(con)
    for function in d.FUNCTIONS:
        if function.name != "geography.sql":
            con.execute(d.MACRO.sub(r"CREATE MACRO bq.main.\1", function.read_text()))
    attach(con, settings.default_project_id)
    con.execute(
        f"CREATE SCHEMA IF NOT EXISTS {d.quote(settings.default_project_id, settings.default_dataset_id)}"
    )
    return con


class InTransaction:
    """A cursor whose BEGIN is refused where a transaction is open, before DuckDB sees it."""

    def __init__(self, cursor):
        self.cursor = cursor

    def execute(self, sql, *parameters):
        if sql == "BEGIN" and self.transaction() == self.transaction():
            raise duckdb.TransactionException("a transaction is open")
        return self.cursor.execute(sql, *parameters)

    def transaction(self):
        """Outside of a transaction every statement has an id of its own."""
        return self.cursor.execute("SELECT txid_current()").fetchone()


def merging(run):
    return lambda cursor, tree, context: run(InTransaction(cursor), tree, context)


def numeric_text(node, context):
    if not (isinstance(node, exp.Cast) and node.to.this in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR)):
        return node
    if kind(node.this) not in DECIMALS:
        return node
    # It always has nine or eighteen decimals.
    digits = exp.func("rtrim", node, exp.Literal.string("0"))
    return exp.func("rtrim", digits, exp.Literal.string("."))


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


d._connect, d._attach, d.projects = connect, attach, lambda: sorted(d._attached)
NODE_RULES.append(numeric_text)
merge.run = merging(merge.run)
threading.Thread(target=end_with_stdin, daemon=True).start()
sys.exit(cli.main())
