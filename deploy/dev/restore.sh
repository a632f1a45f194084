#!/usr/bin/env bash
# restore a backup into an empty system, start it, and check that nothing is missing.
#
# Usage: ./dev restore FOLDER [--last-invoice N] [--last-credit-note N] [--wait SECONDS]
#
#   FOLDER                 what ./dev backup wrote
#   --last-invoice N       the last invoice that was issued, also after the backup: the next one gets N + 1. Without it numbers that were
#   --last-credit-note N   issued after the backup are issued again. Your mails and your accounting know them
#   --wait SECONDS         how long to follow the orders that were under way (600)
#
# Refuses a project that has containers or data: nothing is written over. Refuses a backup of a schema that this version does not know.
# Takes .env of the backup where there is none. Then PostgreSQL is filled in one transaction, and ./dev up starts the rest.
# RabbitMQ begins empty: the dashboard finds queues without their marks and sends each step what it has not done (docs/operating.md).
#
# Ends with what was restored: orders, how old, how many of those under way have come to their end, and what the completeness check found.
# Exit code 0 when no order lacks an effect; 1 when one does, or when orders are still under way after SECONDS; 2 when nothing was restored.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/env.sh
. deploy/machine/images.sh
. deploy/machine/backups.sh
. deploy/dev/operator-api/call.sh

folder='' last_invoice='' last_credit_note='' patience=600
while [ $# -gt 0 ]; do
  case $1 in
    --last-invoice | --last-credit-note | --wait)
      [ $# -gt 1 ] || fail "Expected a number after $1, found nothing. See ./dev restore --help."
      [[ $2 =~ ^[0-9]{1,15}$ ]] || fail "Expected a number after $1, found '$2'."
      case $1 in --last-invoice) last_invoice=$2 ;; --last-credit-note) last_credit_note=$2 ;; --wait) patience=$2 ;; esac
      shift 2 ;;
    -*) unknown_argument "a folder, --last-invoice, --last-credit-note or --wait" "$1" ;;
    *) [ -z "$folder" ] || fail "Expected one folder, found '$folder' and '$1'."; folder=${1%/}; shift ;;
  esac
done
[ -n "$folder" ] || fail "Expected the folder of a backup, found nothing. Here are: $(ls -d backups/*/ 2>/dev/null | xargs || true)"
[ -r "$folder/manifest" ] && [ "$(fact backup "$folder")" = 1 ] || fail "Expected the folder of a backup, found '$folder' without a manifest that this version reads." "./dev backup writes such folders."

project=$(project_name)
began=$(milliseconds)
migrations=src/Infrastructure/Orders/Migrations

check_backup() {
  local file migration unknown='' known=0 newer
  for file in orders.dump orders.env; do
    [ -r "$folder/$file" ] || fail "The backup $folder has no $file." "Copy the whole folder."
    [ "$(sum_of "$folder/$file")" = "$(fact "sum.$file" "$folder")" ] || fail "$folder/$file is not what ./dev backup wrote: its SHA-256 differs from the manifest's." "Take another copy of the backup."
  done
  for migration in $(fact migrations "$folder" | tr , ' '); do
    if [ -f "$migrations/$migration.cs" ]; then known=$((known + 1)); else unknown+=" $migration"; fi
  done
  [ -z "$unknown" ] ||
    fail "The backup is of a schema that this version does not know:$unknown. It was made by revision $(fact revision "$folder")." \
      "Restore it with that version, and upgrade then: git checkout $(fact revision "$folder" | sed 's/-changed$//'); ./dev restore $folder."
  newer=$(find "$migrations" -name '[0-9]*_*.cs' ! -name '*.Designer.cs' | wc -l)
  newer=$((newer - known))
  note "taken $(fact taken "$folder")$([ "$newer" -eq 0 ] || echo ", $newer migrations are newer and come with ./dev up")"
}

check_empty() {
  local containers volumes
  containers=$(docker ps -aq --filter "label=com.docker.compose.project=$project" | wc -l)
  # By name: compose uses a volume of that name also when somebody else made it, without labels.
  volumes=$(docker volume ls --format '{{.Name}}' | grep -E "^${project}_(postgres|rabbitmq)(-[0-9]+)?$" | xargs || true)
  [ "$containers" -eq 0 ] && [ -z "$volumes" ] ||
    fail "Project '$project' is not empty: it has $containers containers${volumes:+ and the volumes $volumes}. Nothing was changed." \
      "Restore beside it, with another COMPOSE_PROJECT_NAME and other ports (./dev env --help)," \
      "or give up what it holds, for ever: ./dev down --volumes, and then ./dev restore $folder."
}

# of_backup NAME: a setting as the backup's .env has it.
of_backup() { awk -v want="$1" -f deploy/machine/dotenv.awk "$folder/orders.env"; }

# With other passwords the data opens, because ./dev up sets them. With another secret of personal data it opens, and nobody is recognised.
place_env() {
  local then now
  if [ ! -e .env ]; then
    (umask 077; cp "$folder/orders.env" .env)
    ensure_env
    note "that of the backup"
    return
  fi
  then=$(of_backup PERSONAL_DATA_SECRET) now=$(setting PERSONAL_DATA_SECRET '')
  [ -z "$then" ] || [ "$then" = "$now" ] || [[ ",$(setting PersonalData__PreviousSecrets "$(setting PERSONAL_DATA_PREVIOUS_SECRETS '')")," == *",$then,"* ]] ||
    fail "PERSONAL_DATA_SECRET of .env is not the one with which the backup was made: customers, limits and erasures would not be recognised." \
      "Move .env away, so that ./dev restore takes that of the backup; or add the backup's secret to PERSONAL_DATA_PREVIOUS_SECRETS in .env."
  ensure_env
  note "kept"
}

# A restore that fails leaves an empty system: only what was made here is removed.
discard() {
  docker compose rm --stop --force --volumes postgres
  docker volume rm "${project}_postgres"
}

# set_counter SERIES N: the last number that was issued. It never goes back.
set_counter() {
  [ -n "$2" ] || return 0
  local found
  found=$(fact "counter.$1" "$folder")
  [ "$2" -ge "${found:-0}" ] || fail "The last number of '$1' in the backup is $found; you said that $2 was the last one." "Numbers never go back: leave the option out, or name the last number that was issued."
  query "$container" "insert into invoice_counter (series, last) values ('$1', $2) on conflict (series) do update set last = excluded.last"
}

fill_database() {
  local container role roles
  trap 'discard >/dev/null 2>&1' EXIT
  docker compose up -d --wait --wait-timeout 120 --no-deps postgres
  container=$(database_container "$project")
  # Grants name the roles of the processes. They cannot log in until ./dev up gives each its password.
  IFS=, read -ra roles <<<"$(fact roles "$folder")"
  for role in ${roles[@]+"${roles[@]}"}; do
    [[ $role =~ ^[^\"[:cntrl:]]+$ ]] || fail "The manifest names a role '$role', which ./dev backup never writes."
    query "$container" "create role \"$role\" login nosuperuser nocreatedb nocreaterole"
  done
  docker exec -i "$container" pg_restore -U orders_owner -d orders --single-transaction --exit-on-error <"$folder/orders.dump"
  set_counter invoice "$last_invoice"
  set_counter credit-note "$last_credit_note"
  # Plans are made of statistics, and a dump has none.
  query "$container" analyze
  [ "$(query "$container" 'select count(*) from orders')" = "$(fact orders "$folder")" ] || fail "The restored database has other orders than the manifest says."
  trap - EXIT
  note "$(query "$container" "select pg_size_pretty(pg_database_size('orders'))")"
}

# Nothing was restored when this ends with an error. Not behind `||`, where bash ignores set -e.
set +e
(
  set -e
  hold_installation
  stage "Docker engine" need_engine
  stage "Backup" check_backup
  stage "Empty system" check_empty
  stage "Base images" ensure_images "$database_image"
  stage "Passwords (.env)" place_env
  stage "Database" fill_database
)
status=$?
set -e
[ "$status" -eq 0 ] || exit 2

echo
./dev up || fail "The database is restored; the rest did not start." "Remove the cause and run ./dev up. ./dev health and docs/operating.md say more; do not restore again."

container=$(primary_container "$project")
last_order=$(fact last_order "$folder")
# Of the backup's orders: still under way, need attention.
of_those() { query "$container" "select count(*) from order_progress p join orders o on o.id = p.order_id where o.number <= $last_order and $1"; }

echo
printf 'Orders under way: '
deadline=$(($(milliseconds) + patience * 1000))
left=$(of_those "$under_way") shown=''
while [ "$left" -gt 0 ] && [ "$(milliseconds)" -lt "$deadline" ]; do
  [ "$left" = "$shown" ] || printf '%s ' "$left"
  shown=$left
  sleep 1
  left=$(of_those "$under_way")
done
echo "$left"

# check_now: fires the completeness check, and waits until a check that began after this moment has ended.
check_now() {
  local since
  since=$(query "$container" 'select now()')
  call POST /schedules/completeness/run -H 'Content-Type: application/json' --data '{"reason":"after a restore"}' >/dev/null || return 0
  until [ "$(query "$container" "select count(*) from schedules where name = 'completeness' and last_finished_at > '$since'")" = 1 ] || [ "$(milliseconds)" -gt "$deadline" ]; do sleep 1; done
}
gaps() { query "$container" "select count(*) from completeness_gaps where closed_at is null $*"; }
# Orders that the check has not looked at: they are younger than its deadline.
ahead() {
  query "$container" "select (select count(*) from orders o where o.number <= $last_order
      and not exists (select from completeness_marks m where m.kind = 'orders' and o.id <= m.mark))
    + (select count(*) from completeness_open c join orders o on o.id = c.subject_id where o.number <= $last_order
      and not exists (select from completeness_gaps g where g.subject_id = c.subject_id and g.closed_at is null))"
}
check_now
# A gap that was closed since is looked at again after Completeness__Recheck.
while [ "$(gaps 'and silent')" -gt 0 ] && [ "$(milliseconds)" -lt "$deadline" ]; do sleep 5; check_now; done
found=$(gaps) silent=$(gaps 'and silent') unseen=$(ahead)

age=$(query "$container" "select date_trunc('second', now() - '$(fact taken "$folder")'::timestamptz)")
invoice=$(query "$container" "select coalesce(max(last), 0) from invoice_counter where series = 'invoice'")
echo
echo "Restored project '$project' from $folder in $(seconds $(($(milliseconds) - began))) s."
echo "  moment         $(fact taken "$folder"), $age ago: what was accepted, mailed or issued since is not in it"
echo "  orders         $(with_commas "$(of_those true)") of $(with_commas "$(fact orders "$folder")")"
echo "  under way      $(with_commas "$(fact under_way "$folder")") in the backup, $(with_commas "$left") now"
echo "  attention      $(with_commas "$(fact need_attention "$folder")") in the backup, $(with_commas "$(of_those 'p.failed <> 0')") now"
echo "  dead letters   $(with_commas "$(query "$container" 'select count(*) from failures where closed_at is null')") of $(with_commas "$(fact dead_letters "$folder")")"
echo "  gaps           $(with_commas "$found") found by the completeness check, $(with_commas "$silent") of them lost messages$([ "$unseen" -eq 0 ] || echo "; $(with_commas "$unseen") orders are younger than Completeness__Deadline and are checked later")"
echo "  invoices       the last number was $(with_commas "$(fact counter.invoice "$folder")") in the backup$([ -z "$last_invoice" ] || echo ", and is $(with_commas "$last_invoice") by --last-invoice"); $(with_commas "$invoice") now"
echo "Mails, parcels and calls of the time after the backup may happen again: the rows that knew them are lost. Erased customers may be back: ./dev erase repeat."
[ "$left" -eq 0 ] && [ "$silent" -eq 0 ] || fail "Expected every order at its end and no lost message, found $left orders under way and $silent lost messages." "The order's page says what it waits for; docs/operating.md, 'An order is incomplete'."
