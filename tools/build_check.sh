#!/usr/bin/env bash
# Builds the release wheel of each package named, then installs each into an empty environment of its own
# (siblings come from the wheels just built) and loads its commands.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VENV:=.venv}"
uv="$VENV/bin/uv"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" # as in setup.sh
for package in "$@"; do
  "$uv" build --quiet --python "$VENV/bin/python" --build-constraints constraints.txt --out-dir "$work/dist" "$package"
done

for wheel in "$work"/dist/*.whl; do
  name=$(basename "$wheel" | cut -d- -f1)
  "$uv" venv --quiet --python "$VENV/bin/python" "$work/$name"
  "$uv" pip install --quiet --python "$work/$name/bin/python" --constraints constraints.txt --find-links "$work/dist" "$wheel"
  "$work/$name/bin/python" -c '
import importlib, importlib.metadata, sys
name = sys.argv[1]
distribution = importlib.metadata.distribution(name)
importlib.import_module(name)
commands = [point for point in distribution.entry_points if point.group == "console_scripts"]
for point in commands:
    point.load()
print(f"{distribution.name} {distribution.version}: installs alone; commands:", *(point.name for point in commands))
' "$name"
done
