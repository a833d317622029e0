#!/bin/sh
# Makes the Python environment of the independent BigQuery server (local-bigquery), every package pinned.
# Place: $ETL_INDEPENDENT_VENV, or .venv-independent in the checkout. Needs Python 3.13, which that server asks for: looked for on the PATH, under pyenv,
# as Debian has it, and by uv. Says so and ends with 1 where there is none or the packages can't be had; the tests then skip themselves loudly.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${ETL_INDEPENDENT_VENV:-$here/../../.venv-independent}
stamp=$place/requirements.txt

if [ -x "$place/bin/python" ] && cmp -s "$here/requirements.txt" "$stamp"; then
  echo "Independent server: $place is up to date"
  exit 0
fi

fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

# pyenv prints the newest 3.13 that it has; Debian may have a python3.13 beside its python3.
find_python() {
  for python in python3.13 "$(pyenv prefix 3.13 2>/dev/null || pyenv prefix "$(pyenv latest 3.13 2>/dev/null)" 2>/dev/null)/bin/python" \
    /usr/bin/python3.13 python3; do
    if fits "$python"; then echo "$python" && return; fi
  done
  if command -v uv >/dev/null && python=$(uv python find 3.13 2>/dev/null) && fits "$python"; then echo "$python" && return; fi
  if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3.13-venv) >/dev/null 2>&1 || true
    if fits /usr/bin/python3.13; then echo /usr/bin/python3.13; fi
  fi
}

python=$(find_python)
if [ -z "$python" ]; then
  echo "Independent server: SKIPPED, no Python 3.13 with venv on this machine (python3.13 on the PATH, pyenv, /usr/bin, uv)" >&2
  exit 1
fi
rm -rf "$place"
"$python" -m venv "$place"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
cp "$here/requirements.txt" "$stamp"
echo "Independent server: $place made with $("$python" --version)"
