#!/bin/bash
# Stand-in for the entrypoint of the official postgres image: the parts that compose files and Testcontainers use.
set -Eeo pipefail

# NAME or NAME_FILE, the contents of a mounted secret.
setting_or_file() {
  local file=${1}_FILE
  if [ -n "${!file:-}" ]; then export "$1=$(<"${!file}")"; unset "$file"; fi
}

initialise() {
  setting_or_file POSTGRES_PASSWORD; setting_or_file POSTGRES_USER; setting_or_file POSTGRES_DB
  : "${POSTGRES_USER:=postgres}"; : "${POSTGRES_DB:=$POSTGRES_USER}"
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    exit 1
  fi
  # eval: POSTGRES_INITDB_ARGS is a shell line by contract.
  eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") -D \"\$PGDATA\" ${POSTGRES_INITDB_ARGS:-}"
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

  # Socket only, so that a check by TCP stays false until the real start.
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
  export PGPASSWORD=$POSTGRES_PASSWORD
  local psql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password)
  [ "$POSTGRES_DB" = postgres ] || printf 'CREATE DATABASE :"db";\n' | "${psql[@]}" --dbname postgres --set db="$POSTGRES_DB"
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) echo "running $file"; if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) echo "running $file"; "${psql[@]}" --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) echo "running $file"; gunzip -c "$file" | "${psql[@]}" --dbname "$POSTGRES_DB" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

[ "${1:0:1}" != '-' ] || set -- postgres "$@"
if [ "$1" = postgres ]; then
  if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    chmod 3777 /var/run/postgresql
    chown -R postgres "$PGDATA" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
  fi
  [ -s "$PGDATA/PG_VERSION" ] || initialise
fi
exec "$@"
