#!/usr/bin/env bash
# Makes .venv: the packages named as arguments (editable) and the tools, at the versions of constraints.txt.
# uv does the work when pip can bring it; otherwise (or with WITHOUT_UV=1) pip does, more slowly.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VENV:=.venv}"

if [ ! -x "$VENV/bin/python" ]; then
  if [ -z "${PYTHON:-}" ]; then
    echo "No Python 3.11 or newer was found. Install one, or name it: make setup PYTHON=/path/to/python3" >&2
    exit 1
  fi
  "$PYTHON" -m venv "$VENV"
fi
python="$VENV/bin/python"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "$VENV was made with a Python older than 3.11. Remove it and name a newer one: make setup PYTHON=..." >&2
  exit 1
fi

editable=()
for package in "$@"; do editable+=(-e "./$package"); done

export PIP_DISABLE_PIP_VERSION_CHECK=1
# Else every program compiles what it imports at its first start, and where PYTHONDONTWRITEBYTECODE is set
# (common in containers) at each one: a `meltano run` starts four, and takes twice as long.
export UV_COMPILE_BYTECODE=1
has_uv() {
  [ -z "${WITHOUT_UV:-}" ] || return 1
  "$VENV/bin/uv" --version >/dev/null 2>&1 && return 0
  "$python" -m pip install --quiet -c constraints.txt uv && "$VENV/bin/uv" --version >/dev/null
}
if has_uv; then
  "$VENV/bin/uv" pip install --quiet --python "$python" \
    --constraints constraints.txt --build-constraints constraints.txt --group dev "${editable[@]}"
else
  echo "without uv: pip installs everything, which takes longer" >&2
  export MELTANO_VENV_BACKEND=virtualenv
  export CONNECTOR_RELEASE=1 # pip will not have one package both editable and as a sibling's folder
  "$python" -m pip install --quiet -c constraints.txt pip
  PIP_CONSTRAINT=constraints.txt "$python" -m pip install --quiet --group dev "${editable[@]}"
fi

# While a plugin runs, Meltano keeps its settings, secrets among them, in a file here; the ledger is here too.
mkdir -p .meltano
chmod 700 .meltano

# Meltano keeps its plugins in environments of their own; made now, later runs need no network.
if [ -x "$VENV/bin/tap-bigcommerce-orders" ] && [ -x "$VENV/bin/target-freshbooks" ]; then
  "$VENV/bin/meltano" --log-level warning install tap-bigcommerce-orders target-freshbooks
fi
"$python" -m compileall -q "${@/%//src}"
echo "ready: $("$python" --version), $("$VENV/bin/meltano" --version 2>/dev/null | tail -n 1), commands in $VENV/bin"
