# Writes batch.json: a schema and a record batch as BigQuery's Storage Read API sends them, every type, by Arrow's own library. Run with pyarrow, once.
import base64, datetime as dt, decimal, json, os
import pyarrow as pa

decimal.getcontext().prec = 100
D, date, time, moment, utc = decimal.Decimal, dt.date, dt.time, dt.datetime, dt.timezone.utc
epoch = moment(1970, 1, 1)
micros = lambda text: (moment.fromisoformat(text) - epoch) // dt.timedelta(microseconds=1)
moments = ["0001-01-01T00:00:00.000001", "9999-12-31T23:59:59.999999", None, "1969-12-31T23:59:59.500000", "2024-01-31T06:30:00"]
strings = ["", "æøå 👩‍👩‍👧‍👦", None, "a\u0000b", "dev-gcp"]
columns = {
    "s": pa.array(strings, pa.utf8()),
    "i": pa.array([2**53 - 1, -(2**53) + 1, None, 0, -1], pa.int64()),
    "big": pa.array([2**63 - 1, -(2**63), None, 2**53 + 1, -1], pa.int64()),
    "f": pa.array([float("nan"), -0.0, None, 5e-324, float("-inf")], pa.float64()),
    "b": pa.array([True, False, None, False, True], pa.bool_()),
    "n": pa.array([D("9" * 29 + "." + "9" * 9), D("-0.000000001"), None, D("100"), D("-12.5")], pa.decimal128(38, 9)),
    "bn": pa.array([D("9" * 38 + "." + "9" * 38), D("-0." + "0" * 37 + "1"), None, D("0"), D("-1.5")], pa.decimal256(76, 38)),
    "d": pa.array([date(1, 1, 1), date(9999, 12, 31), None, date(1969, 12, 31), date(2024, 2, 29)], pa.date32()),
    "t": pa.array([time(0, 0), time(23, 59, 59, 999999), None, time(6, 30, 0, 1), time(6, 5, 4)], pa.time64("us")),
    "ts": pa.array([None if m is None else micros(m) for m in moments], pa.int64()).cast(pa.timestamp("us", "UTC")),
    "dt": pa.array([None if m is None else micros(m) for m in moments], pa.int64()).cast(pa.timestamp("us")),
    "y": pa.array([b"", b"\x00\xff\n", None, b"a", b"b"], pa.binary()),
    "j": pa.array(['{"a":12345678901234567890}', "null", None, "1", "[]"], pa.utf8()),
    "l": pa.array([["a", "b"], [], None, ["c"], [""]], pa.list_(pa.utf8())),
    "r": pa.array([{"id": 1, "tags": [2, 3]}, {"id": None, "tags": []}, None, {"id": 4, "tags": None}, {"id": 5, "tags": [6]}],
                  pa.struct([("id", pa.int64()), ("tags", pa.list_(pa.int64()))])),
    "e": pa.array([[{"x": date(2024, 1, 1)}, {"x": None}], [], None, [], [{"x": date(2024, 1, 2)}]], pa.list_(pa.struct([("x", pa.date32())]))),
}
batch = pa.record_batch(list(columns.values()), names=list(columns))
text = lambda buffer: base64.b64encode(buffer.to_pybytes()).decode()
with open(os.path.join(os.path.dirname(__file__), "batch.json"), "w") as file:
    json.dump({"schema": text(batch.schema.serialize()), "batch": text(batch.serialize()), "half": text(batch.slice(3).serialize())}, file, indent=2)
    file.write("\n")
