"""What Google's client gives for a value, by the text that the TypeScript side writes for it."""
import base64
import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)

PYTHON = {
    'INT64': int,
    'NUMERIC': Decimal,
    'BIGNUMERIC': Decimal,
    'TIMESTAMP': lambda text: epoch + timedelta(microseconds=int(text)),
    'DATE': date.fromisoformat,
    'DATETIME': datetime.fromisoformat,
    'TIME': time.fromisoformat,
    'BYTES': base64.b64decode,
    'BOOL': lambda text: text == 'true',
    'FLOAT64': float,
    'JSON': json.loads,
    'STRING': str,
}
