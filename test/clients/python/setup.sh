#!/bin/sh
# Makes the Python environment of the client tests: Google's client and pandas_gbq, every package pinned.
# Place: $ETL_TEST_VENV, or .venv-python in the checkout. Needs Python 3.11 or newer; says so and ends with 0 where there is none,
# because the tests then skip themselves loudly.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${ETL_TEST_VENV:-$here/../../../.venv-python}
stamp=$place/requirements.txt

if [ -x "$place/bin/python" ] && cmp -s "$here/requirements.txt" "$stamp"; then
  echo "Python client tests: $place is up to date"
  exit 0
fi
for python in python3.13 python3.12 python3.11 python3; do
  if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    rm -rf "$place"
    "$python" -m venv "$place"
    "$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
    echo "Python client tests: $place made with $("$python" --version)"
    exit 0
  fi
done
echo "Python client tests: SKIPPED, no Python 3.11 or newer with venv on this machine" >&2
