# Sourced: what ./dev backup and ./dev restore have in common. A backup is a folder: the database (orders.dump), .env (orders.env), and
# what they are (manifest): NAME=VALUE, one a line.

# fact NAME FOLDER: a value of a backup's manifest; nothing when it has none.
fact() { sed -n "s/^$1=//p" "$2/manifest" | head -1; }

# sum_of FILE: its SHA-256.
sum_of() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }

# size_of FILE: for people.
size_of() { du -h "$1" | cut -f1; }

# with_commas N: 1234567 -> 1,234,567
with_commas() { printf '%s\n' "$1" | sed -E -e ':a' -e 's/^([0-9]+)([0-9]{3})(,|$)/\1,\2\3/' -e 'ta'; }

# query CONTAINER SQL: one value, as the owner of the database.
query() { docker exec "$1" psql -XqAt -U orders_owner -d orders -v ON_ERROR_STOP=1 -c "$2"; }

# primary_container PROJECT: the running PostgreSQL that takes writes. With a standby (deploy/replica) that may be either.
primary_container() {
  local container service
  for service in postgres postgres-2; do
    container=$(docker ps -q --filter "label=com.docker.compose.project=$1" --filter "label=com.docker.compose.service=$service" | head -1)
    [ -z "$container" ] || [ "$(query "$container" 'select pg_is_in_recovery()')" != f ] || { echo "$container"; return; }
  done
}

# An order is under way until one of these holds. Orders whose release lies ahead wait for it, and are not under way.
under_way='p.completed_at is null and p.rejected_at is null and p.cancelled_at is null and p.failed = 0 and (o.release_at is null or o.release_at <= now())'
