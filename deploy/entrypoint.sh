#!/bin/sh
# Starts what the container was told to. All programs take secrets from files but Meltano, whose database has a password
# in its address: this gives it the contents of MELTANO_DATABASE_URI_FILE.
set -eu
umask 077
if [ -n "${MELTANO_DATABASE_URI_FILE:-}" ]; then
  MELTANO_DATABASE_URI=$(cat "$MELTANO_DATABASE_URI_FILE")
  if [ -z "$MELTANO_DATABASE_URI" ]; then
    echo "The file of MELTANO_DATABASE_URI_FILE, $MELTANO_DATABASE_URI_FILE, is empty: write the database's address into it." >&2
    exit 1
  fi
  export MELTANO_DATABASE_URI
fi
exec "$@"
