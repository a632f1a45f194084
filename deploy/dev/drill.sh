#!/usr/bin/env bash
# rehearse on this machine what you hope not to need: restore a backup, scale a step out.
#
# Usage: ./dev drill restore [--orders N] [--keep]
#        ./dev drill scale [--orders N] [--keep]
#
#   restore      orders are posted and worked on; a backup is made meanwhile; then PostgreSQL and RabbitMQ are destroyed with all their data, and
#                the backup is restored. Checked: no order of the backup is lost, each effect is there once, no mail of before the backup is sent again
#   scale        a backlog of mails, each of which the mail server takes 50 ms for, is worked off by one email worker and then by four:
#                mails a second of both, and their ratio. A worker runs one mail at a time here, so that waiting and not the processor is the limit
#   --orders N   orders in all (restore: 300, scale: 400 each time)
#   --keep       leave the installation running for a look; the next drill replaces it
#
# Sets up an installation of its own (project orders-drill, ports from 18780; COMPOSE_PROJECT_NAME and DRILL_PORT change that), beside a ./dev up.
# It destroys that project with all its data: another name must have -drill in it.
# The failover of PostgreSQL and the loss of RabbitMQ nodes are ./dev chaos --scenario postgres-failover and node-kills.
# Prints what came of it, also into artifacts/drill/. Exit code 0 when everything checked holds.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/env.sh
. deploy/machine/backups.sh

what=${1:-} orders='' keep=''
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
  case $1 in
    --orders) [ $# -gt 1 ] && [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || fail "Expected a number of orders after --orders, found '${2:-nothing}'."; orders=$2; shift 2 ;;
    --keep) keep=yes; shift ;;
    *) unknown_argument "--orders or --keep" "$1" ;;
  esac
done
case $what in restore | scale) ;; *) unknown_argument "restore or scale" "${what:-nothing}" restore scale ;; esac

# An installation whose name the shell happens to export is not what a drill may destroy.
[[ ${COMPOSE_PROJECT_NAME:-orders-drill} == *-drill* ]] ||
  fail "Expected a COMPOSE_PROJECT_NAME with -drill in it, found '$COMPOSE_PROJECT_NAME': a drill destroys its project with all data." "Unset COMPOSE_PROJECT_NAME, or name it $COMPOSE_PROJECT_NAME-drill."
port=${DRILL_PORT:-18780}
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-orders-drill} COMPOSE_FILE=docker-compose.yml COMPOSE_PROFILES=demo BIND_ADDRESS=127.0.0.1 DEMO_CATALOGUE=true
# One server of each, also where .env names several or a pooler.
export DATABASE_HOST=postgres DATABASE_PORT=5432 DATABASE_POOLER=false RABBITMQ_HOSTS=rabbitmq
export API_PORT=$port DASHBOARD_PORT=$((port + 1)) OUTSIDE_WORLD_PORT=$((port + 2)) RABBITMQ_MANAGEMENT_PORT=$((port + 3))
# The completeness check looks at an order 15 minutes after its acceptance; a drill does not last that long.
export Completeness__Deadline=00:00:20 Completeness__Recheck=00:00:03
project=$COMPOSE_PROJECT_NAME
out=artifacts/drill
world=http://127.0.0.1:$OUTSIDE_WORLD_PORT

remove() { ./dev down --volumes; }
begin() {
  rm -rf "$out"
  mkdir -p "$out"
  stage "Removing the last one" remove
  [ -n "$keep" ] || at_exit './dev down --volumes >/dev/null 2>&1'
  ./dev up
}

# mail_server MODE DELAY: how it treats every mail from now on.
mail_server() { curl -sSf --max-time 10 -X PUT "$world/behaviour" -H 'Content-Type: application/json' --data "{\"smtp\":{\"mode\":\"$1\",\"delayMs\":$2,\"share\":1}}" >/dev/null; }

# lines FILE: how many orders were accepted so far.
lines() { wc -l <"$1" | tr -d ' '; }

# await_lines FILE N
await_lines() { until [ "$(lines "$1")" -ge "$2" ]; do kill -0 "$posting" 2>/dev/null || [ "$(lines "$1")" -ge "$2" ] || fail "The posts ended after $(lines "$1") orders, expected $2." "$(cat "$out/post.err")"; sleep 0.2; done; }

expect() {
  if [ "$2" = "$3" ]; then printf '  %-62s %s\n' "$1" "$2"; else printf '  %-62s %s, EXPECTED %s\n' "$1" "$2" "$3"; wrong=$((wrong + 1)); fi
}

restore_drill() {
  local container before known mailed_twice=0 again=0 address mails wrong=0 of_backup
  orders=${orders:-300}
  begin
  # Mails become a backlog: orders of every stage are under way when the backup is made.
  mail_server slow 1500
  ./dev post --no-wait "$orders" >"$out/posted" 2>"$out/post.err" &
  posting=$!
  at_exit "kill $posting 2>/dev/null || true"
  await_lines "$out/posted" $((orders / 2))
  # Whatever was accepted until here has to be in the backup.
  before=$(lines "$out/posted")
  head -n "$before" "$out/posted" | cut -d' ' -f1 >"$out/before"
  echo
  ./dev backup "$out/backup"
  # Later ones are lost with the database, although they were accepted: the backup is older than they are.
  await_lines "$out/posted" $((orders * 4 / 5))
  kill "$posting" 2>/dev/null || true
  wait "$posting" 2>/dev/null || true
  cp "$out/posted" "$out/accepted"

  echo
  stage "Destroying the system" destroy
  # The ledgers of the demo's mail server stay: a mail that was sent is sent.
  echo
  ./dev restore "$out/backup"

  container=$(primary_container "$project")
  of_backup="o.number <= $(fact last_order "$out/backup")"
  known=$(query "$container" "select count(*) from orders o where o.id in ($(sed "s/.*/'&'/" "$out/before" | paste -sd, -))")
  query "$container" "select o.customer_email from orders o join effects e on e.subject_id = o.id where e.effect = 'email' and e.at < '$(fact taken "$out/backup")' and $of_backup" >"$out/mailed-before"
  query "$container" "select o.customer_email from orders o where $of_backup" >"$out/customers"
  for address in $(cat "$out/customers"); do
    mails=$(curl -sS --max-time 10 "$world/mails?to=$address" | grep -o '"messageId"' | wc -l | tr -d ' ')
    echo "$address $mails"
  done >"$out/mails"
  again=$(awk '$2 > 1' "$out/mails" | wc -l | tr -d ' ')
  mailed_twice=$(awk 'NR == FNR { sent[$1] = 1; next } sent[$1] && $2 != 1' "$out/mailed-before" "$out/mails" | wc -l | tr -d ' ')

  echo
  echo "Drill: restore. $(lines "$out/accepted") orders accepted, $before of them before the backup; $(fact under_way "$out/backup") under way in the backup."
  expect "orders were under way in the backup" "$([ "$(fact under_way "$out/backup")" -gt 0 ] && echo yes || echo no)" yes
  expect "orders accepted before the backup that are there" "$known" "$before"
  expect "orders of the backup that are Completed" "$(query "$container" "select count(*) from order_progress p join orders o on o.id = p.order_id where $of_backup and p.completed_at is not null and p.failed = 0")" "$(fact orders "$out/backup")"
  expect "lost" "$((before - known))" 0
  expect "required steps without their effect" "$(query "$container" "select count(*) from orders o join order_progress p on p.order_id = o.id join step_catalogue c on p.required & c.bit <> 0 where $of_backup and not exists (select from effects e where e.subject_id = o.id and e.effect = c.step)")" 0
  expect "invoices, and numbers without a gap" "$(query "$container" "select count(*) || ', ' || max(i.number) - min(i.number) + 1 from invoices i join orders o on o.id = i.order_id where $of_backup")" "$(fact orders "$out/backup"), $(fact orders "$out/backup")"
  expect "goods whose stock is not what was ordered" "$(query "$container" "select count(*) from stock s where s.on_hand <> s.initial - (select coalesce(sum(l.quantity), 0) from order_lines l where l.sku = s.sku)")" 0
  expect "files of the backup that others may read" "$(find "$out/backup" -type f ! -perm 0600 | wc -l | tr -d ' ')" 0
  expect "gaps that the completeness check found" "$(query "$container" 'select count(*) from completeness_gaps where closed_at is null')" 0
  expect "mails of before the backup that were sent again" "$mailed_twice" 0
  echo "  mails sent twice because they had been sent after the backup:  $again"
  [ "$wrong" -eq 0 ] || { echo "The drill failed: $wrong of 10 checks."; return 1; }
  echo "lost 0, duplicates 0 of what the backup holds"
}

destroy() {
  docker compose kill
  docker compose down --remove-orphans
  docker volume rm "${project}_postgres" "${project}_rabbitmq"
}

# await_effects STEP IDS: until the step is done for all of them, within ten minutes.
await_effects() {
  local found deadline=$(($(milliseconds) + 600000))
  until found=$(query "$(primary_container "$project")" "select count(*) from step_runs where step = '$1' and finished_at is not null and subject_id in ($2)") && [ "$found" = "$orders" ]; do
    [ "$(milliseconds)" -lt "$deadline" ] || fail "Expected step $1 to be done for $orders orders within ten minutes, found $found."
    sleep 1
  done
}

# mails_per_second WORKERS: posts orders while the step is paused, then measures how fast its backlog goes down, without the first and last tenth.
mails_per_second() {
  # Not inherited by the shell of a substitution.
  set -e
  local container ids
  container=$(primary_container "$project")
  ./dev pause email --reason "drill: a backlog" >&2
  ./dev post --no-wait "$orders" >"$out/posted-$1" 2>"$out/post.err" || fail "$(cat "$out/post.err")"
  docker compose up -d --wait --no-deps --no-recreate --scale "email=$1" email >"$out/scale-$1.log" 2>&1 || fail "$(tail -3 "$out/scale-$1.log")"
  mail_server slow 50
  ids=$(cut -d' ' -f1 "$out/posted-$1" | sed "s/.*/'&'/" | paste -sd, -)
  # The other steps share the processors: they end first.
  await_effects warehouse "$ids"
  await_effects invoice "$ids"
  ./dev resume email --reason "drill: the backlog is there" >&2
  await_effects email "$ids"
  query "$container" "select round((count(*) - 1) / extract(epoch from max(finished_at) - min(finished_at)), 1) from (select finished_at, percent_rank() over (order by finished_at) as place from step_runs where step = 'email' and subject_id in ($ids)) r where place between 0.1 and 0.9"
}

scale_drill() {
  local one four ratio
  orders=${orders:-400}
  begin
  ./dev limit email --per-replica 1 --reason "drill: waiting is the limit" >&2
  one=$(mails_per_second 1)
  four=$(mails_per_second 4)
  ratio=$(awk -v one="$one" -v four="$four" 'BEGIN { printf "%.2f", four / one }')
  echo
  echo "Drill: scale. $orders mails each time, 50 ms at the mail server, one at a time in a worker, $(nproc 2>/dev/null || echo '?') cores."
  printf '  1 email worker   %8s mails a second\n  4 email workers  %8s mails a second\n  ratio            %8s   (aim: 3.5)\n' "$one" "$four" "$ratio"
  awk -v ratio="$ratio" 'BEGIN { exit !(ratio >= 3.5) }' || { echo "The drill failed: the ratio is below 3.5."; return 1; }
}

set +e
(set -e; "${what}_drill") | tee "$work/drill.$$"
status=${PIPESTATUS[0]}
set -e
[ ! -d "$out" ] || mv "$work/drill.$$" "$out/report.txt"
exit "$status"
