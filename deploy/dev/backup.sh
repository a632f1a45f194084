#!/usr/bin/env bash
# write a backup: the database at one moment, .env, and a list of what is in them.
#
# Usage: ./dev backup [FOLDER]
#
#   FOLDER   a folder that does not exist (default: backups/PROJECT-DATE). It gets mode 0700 and its files 0600
#
# Runs beside a working system: orders are accepted and worked on meanwhile. The backup is one snapshot of PostgreSQL, and PostgreSQL is the truth:
# outbox, steps and effects are in it. What is in RabbitMQ is not; after ./dev restore it is sent again from the database.
# What happens after the moment of the backup is not in it. Its age when it is needed is what is lost: back up often, or archive the WAL (docs/upgrading.md).
#
# The folder holds all passwords, names and addresses. Keep it encrypted, on another machine. TLS_FILES, SMTP_FILES and other mounted secrets are not in it.
# Prints what the backup holds. Exit code 0 when it is complete and readable; a folder that is not complete never has its name.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/backups.sh

folder=''
for argument in "$@"; do
  case $argument in
    -*) unknown_argument "a folder or nothing" "$argument" ;;
    *) [ -z "$folder" ] || fail "Expected one folder, found '$folder' and '$argument'."; folder=$argument ;;
  esac
done

project=$(project_name)
folder=${folder:-backups/$project-$(TZ=UTC0 printf '%(%Y%m%dT%H%M%SZ)T' -1)}
[ ! -e "$folder" ] || fail "Expected a folder that does not exist, found '$folder'." "Name another one: a backup is never written over."
[ -r .env ] || fail "Expected .env, found none: without its secrets nobody opens what the backup holds." "Run ./dev backup where the installation was started."
partial=$folder.partial

find_database() {
  need_engine
  [ -n "$(primary_container "$project")" ] || fail "Project '$project' has no running PostgreSQL that takes writes." "Start it: ./dev up, or 'docker compose up -d --wait postgres'. Running projects: $(docker compose ls --quiet | xargs)"
}

# One transaction sees one moment: pg_dump gets its snapshot, and the facts are counted in it. The dump goes to standard output, the facts to standard error.
dump() {
  local container
  container=$(primary_container "$project")
  mkdir -p "$(dirname "$folder")"
  rm -rf "$partial"
  mkdir -m 0700 "$partial"
  docker exec -i "$container" psql -XqAt -U orders_owner -d orders -v ON_ERROR_STOP=1 >"$partial/orders.dump" 2>"$partial/facts" <<SQL
set idle_in_transaction_session_timeout = 0;
begin isolation level repeatable read read only;
\\o | cat >&2
select 'taken=' || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
select 'server=' || current_setting('server_version');
select 'migrations=' || string_agg(migration_id, ',' order by migration_id) from "__EFMigrationsHistory";
select 'roles=' || coalesce(string_agg(rolname, ',' order by rolname), '') from pg_roles where rolname !~ '^pg_' and rolname <> current_user;
select 'orders=' || count(*) from orders;
select 'last_order=' || coalesce(max(number), 0) from orders;
select 'under_way=' || count(*) from order_progress p join orders o on o.id = p.order_id where $under_way;
select 'need_attention=' || count(*) from order_progress where failed <> 0;
select 'outbox=' || count(*) from outbox;
select 'dead_letters=' || count(*) from failures where closed_at is null;
select 'invoices=' || count(*) from invoices;
select 'counter.' || series || '=' || last from invoice_counter order by series;
\\o
select pg_export_snapshot() as snapshot \\gset
\\setenv SNAPSHOT :snapshot
\\! pg_dump -U orders_owner --format custom --snapshot "\$SNAPSHOT" orders
\\if :SHELL_ERROR
do \$\$ begin raise exception 'pg_dump failed'; end \$\$;
\\endif
commit;
SQL
  note "$(size_of "$partial/orders.dump")"
}

# What cannot be read again is no backup.
read_again() {
  local container tables
  container=$(primary_container "$project")
  tables=$(docker exec -i "$container" pg_restore --list <"$partial/orders.dump" | grep -c ' TABLE DATA ' || true)
  [ "$tables" -gt 0 ] || fail "pg_restore finds no table in the dump that was just written." "See $partial/facts for what pg_dump said, and whether the disk is full."
  # The list stands at the beginning; the rows are read too.
  docker exec -i "$container" pg_restore -f /dev/null <"$partial/orders.dump" || fail_with_log "pg_restore cannot read the dump that was just written. Is the disk full?"
  cp .env "$partial/orders.env"
  {
    echo "backup=1"
    echo "project=$project"
    echo "revision=$(image_revision)"
    grep -E '^[a-z_.-]+=' "$partial/facts"
    echo "sum.orders.dump=$(sum_of "$partial/orders.dump")"
    echo "sum.orders.env=$(sum_of "$partial/orders.env")"
  } >"$partial/manifest"
  rm "$partial/facts"
  chmod 0600 "$partial"/*
  [ -n "$(fact taken "$partial")" ] && [ -n "$(fact migrations "$partial")" ] || fail "The backup does not know when it was taken, or of which schema it is." "Is $partial/manifest complete?"
  # On the disk before it has its name.
  sync
  mv "$partial" "$folder"
  note "$tables tables"
}

umask 077
at_exit "rm -rf '$partial'"
stage "Database" find_database
stage "Dump" dump
stage "Reading it again" read_again
echo
echo "Backup $folder of project '$project', taken $(fact taken "$folder"), revision $(fact revision "$folder"):"
echo "  orders.dump   $(size_of "$folder/orders.dump")  $(with_commas "$(fact orders "$folder")") orders, $(with_commas "$(fact under_way "$folder")") of them under way, $(with_commas "$(fact need_attention "$folder")") need attention; $(with_commas "$(fact invoices "$folder")") invoices"
echo "  orders.env    $(size_of "$folder/orders.env")  passwords and keys: keep the folder encrypted, on another machine"
echo "  manifest      $(size_of "$folder/manifest")  what ./dev restore compares"
echo "Restore it into an empty system: ./dev restore $folder"
