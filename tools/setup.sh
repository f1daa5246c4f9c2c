#!/usr/bin/env bash
# Makes .venv: the packages named as arguments (editable) and the tools, at the versions of constraints.txt; then
# the environments of all plugins in meltano.yml, so that later runs need no network.
# uv does the work; where it cannot (or with WITHOUT_UV=1) pip does, more slowly.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VENV:=.venv}"

stop() {
  echo "$1" >&2
  exit 1
}
is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'
}
name_one="Name Python 3.11 or newer: make setup PYTHON=/path/to/python3"

# Before anything is made, also where it is not needed: who names an interpreter means it.
if [ -n "${PYTHON:-}" ]; then
  command -v "$PYTHON" >/dev/null || stop "There is no program $PYTHON. $name_one"
  is_new_enough "$PYTHON" || stop "$PYTHON is no Python 3.11 or newer, and nothing was made. $name_one"
fi
if [ -e "$VENV/.unfinished" ]; then # an earlier setup was ended before it had anything in it
  rm -rf "$VENV"
fi
if ! { [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; }; then
  [ -n "${PYTHON:-}" ] || stop "No Python 3.11 or newer was found. Install one, or name it: make setup PYTHON=/path/to/python3"
  if [ -e "$VENV" ]; then # another's, perhaps: only what is left of pip goes, for half a pip counts as a whole one
    rm -rf "$VENV"/lib/python*/site-packages/pip "$VENV"/lib/python*/site-packages/pip-*.dist-info
  else
    mkdir -p "$VENV"
    touch "$VENV/.unfinished"
  fi
  "$PYTHON" -m venv "$VENV"
  rm -f "$VENV/.unfinished"
fi
python="$VENV/bin/python"
is_new_enough "$python" ||
  stop "$VENV was made with a Python older than 3.11. Remove it, and run make setup again."

editable=()
for package in "$@"; do editable+=(-e "./$package"); done

# While a plugin runs, Meltano keeps its settings, secrets among them, in a file of .meltano. In data are ledger,
# keys, credentials and inbox: whatever cannot be made again.
mkdir -p .meltano data
chmod 700 .meltano data

export PIP_DISABLE_PIP_VERSION_CHECK=1
# Else every program compiles what it imports at its first start, and where PYTHONDONTWRITEBYTECODE is set
# (common in containers) at each one: a `meltano run` starts four, and takes twice as long.
export UV_COMPILE_BYTECODE=1

# Behind a proxy that opens TLS only the machine's own certificates will do. uv and pips before 24.2 bring others.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
if [ -z "${PIP_CERT:-}${REQUESTS_CA_BUNDLE:-}${CURL_CA_BUNDLE:-}" ] &&
  ! "$python" -m pip config list 2>/dev/null | grep -q '\.cert='; then
  for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
    /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -n "$bundle" ] && [ -r "$bundle" ]; then
      export PIP_CERT="$bundle"
      break
    fi
  done
fi

has_uv() {
  [ -z "${WITHOUT_UV:-}" ] || return 1
  "$VENV/bin/uv" --version >/dev/null 2>&1 && return 0
  "$python" -m pip install --quiet -c constraints.txt uv && "$VENV/bin/uv" --version >/dev/null
}
by_uv() {
  has_uv && "$VENV/bin/uv" pip install --quiet --python "$python" \
    --constraints constraints.txt --build-constraints constraints.txt --group dev "${editable[@]}"
}
pip_from_here_on() {
  WITHOUT_UV=1
  export MELTANO_VENV_BACKEND=virtualenv
}
if ! by_uv; then
  echo "without uv: pip installs everything, which takes longer" >&2
  pip_from_here_on
  "$python" -m pip install --quiet -c constraints.txt pip
  PIP_CONSTRAINT=constraints.txt "$python" -m pip install --quiet --group dev "${editable[@]}"
fi

plugins() {
  "$VENV/bin/meltano" --log-level warning install "$@"
}
if ! plugins tap-bigcommerce-orders target-freshbooks sandbox credentials webhooks; then
  [ -z "${WITHOUT_UV:-}" ] || exit 1
  echo "without uv: pip installs Meltano's plugins, which takes longer" >&2
  pip_from_here_on
  plugins tap-bigcommerce-orders target-freshbooks sandbox credentials webhooks
fi
# A scheduler among several, and the one part that is not ours: nothing else waits for it.
plugins airflow || echo "Airflow could not be installed; where you want it: .venv/bin/meltano install airflow" >&2

"$python" -m compileall -q "${@/%//src}"
echo "ready: $("$python" --version), $("$VENV/bin/meltano" --version 2>/dev/null | tail -n 1), commands in $VENV/bin"
