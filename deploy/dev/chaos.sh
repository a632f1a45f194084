#!/usr/bin/env bash
# break a running system by a plan, and check that nothing is lost, doubled or stuck.
#
# Usage: ./dev chaos [OPTION VALUE ...] [--cluster] [--replica] [--keep] [--plan-only]
#
#   --seed S         orders and plan follow from it (1)
#   --orders N       orders posted while things break (2000)
#   --faults F       faults in the plan (12)
#   --gap SECONDS    mean time between two faults (9)
#   --rate R         orders per second (spread over the plan)
#   --kind KIND      only faults of this kind, such as clockoff, policy or killafterclaim
#   --scenario NAME  plan: faults drawn from the seed; broker-kills: RabbitMQ killed every 15 s, ten times, at 20 orders a second;
#                    node-kills: one, then two of three RabbitMQ nodes (with --cluster); soak: no faults, memory and table sizes;
#                    postgres-failover: the primary is killed for good, its synchronous standby is promoted (brings --replica)
#   --cluster        three RabbitMQ nodes instead of one
#   --replica        PostgreSQL with a synchronous standby (deploy/replica)
#   --keep           leave the installation running for a look; ./dev chaos replaces it
#   --plan-only      print the plan and start nothing
#
# A plan kills, freezes, cuts off and restarts containers, terminates database sessions, raises the broker's alarm, lets mail server and warehouse be slow, fail
# or refuse for good; it changes database and broker passwords of workers for some seconds, closes the database, scales workers out and in, starts workers whose clock is one hour off, sets policies with limits on queues, kills a worker right after it has claimed a mail; the version is deployed once more; operators redrive over the operator API what that has dead-lettered, while other faults are on; all workers are restarted in turn by SIGTERM.
# A redrive, such a rolling restart, a refused login, a scaling out and a deployment are in every plan of twelve faults and more.
#
# Sets up an installation of its own (project orders-chaos, ports from 18480; COMPOSE_PROJECT_NAME and CHAOS_PORT change that), beside a
# ./dev up. Writes the plan first, then posts orders through the API and breaks containers; heals, waits until nothing moves (at most 120 s without
# another order coming to its end), and compares
# the client's own history with the database, the ledgers of mail server and warehouse, and the queues; redrives what is still dead-lettered, and compares again.
# Plan, history, the operators' calls and the report: artifacts/chaos/. Ends with an error on any violation. docs/reliability.md says what is checked and what was found.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/env.sh
. deploy/machine/sdk.sh
. deploy/machine/compiler.sh

know_options "$@"
keep='' plan_only='' replica='' files=docker-compose.yml:deploy/chaos/compose.yml arguments=()
for argument in "$@"; do
  case $argument in
    --keep) keep=yes ;;
    --plan-only) plan_only=yes arguments+=("$argument") ;;
    --replica) replica=yes ;;
    --cluster) files=$files:deploy/cluster/compose.yml:deploy/chaos/cluster.yml; export RABBITMQ_HOSTS=rabbitmq,rabbitmq-2,rabbitmq-3 ;;
    postgres-failover) replica=yes arguments+=("$argument") ;;
    *) arguments+=("$argument") ;;
  esac
done
[ -z "$replica" ] || { files=$files:deploy/replica/compose.yml:deploy/chaos/replica.yml; export DATABASE_HOST=postgres,postgres-2; }

port=${CHAOS_PORT:-18480}
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-orders-chaos} COMPOSE_FILE=$files
export API_PORT=$port OUTSIDE_WORLD_PORT=$((port + 1)) RABBITMQ_MANAGEMENT_PORT=$((port + 2)) CHAOS_DATABASE_PORT=$((port + 3)) CHAOS_AMQP_PORT=$((port + 4)) DASHBOARD_PORT=$((port + 5)) CHAOS_REPLICA_PORT=$((port + 6))
export BIND_ADDRESS=127.0.0.1 DEMO_CATALOGUE=true COMPOSE_PROFILES=demo DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1

out=$PWD/artifacts/chaos
runner=$out/runner
folder=$out/$(date -u +%Y%m%d-%H%M%S)-$$

publish() { dotnet publish tests/Chaos --output "$runner" -v:quiet; }

if [ -n "$plan_only" ]; then
  stage ".NET SDK" ensure_sdk >&2
  stage "The runner" publish >&2
  exec dotnet "$runner/Orders.Chaos.dll" "${arguments[@]}"
fi

# Of this run: two runs of one clone must not set each other's clocks.
export CHAOS_CLOCKS=$folder/clocks
mkdir -p "$CHAOS_CLOCKS"

# What sets a worker's clock off (deploy/chaos/clock.c). The directory is a volume of the workers.
build_clock() {
  cc -shared -fPIC -O2 -Wall -o "$CHAOS_CLOCKS/clock.so" deploy/chaos/clock.c -ldl
  local worker
  for worker in email inventory invoice warehouse; do echo 0 >"$CHAOS_CLOCKS/$worker"; done
  chmod -R a+rX "$CHAOS_CLOCKS"
}

remove() { docker compose down --volumes --remove-orphans; }
start() {
  if docker compose up -d --wait --wait-timeout 300; then return; fi
  docker compose ps --all
  docker compose logs --no-color --tail 200
  ! known_cause "$stage_log" >/dev/null || return 1
  fail "$(unhealthy_services)"
}

check_machine() {
  check_clone
  check_ports
  check_room
}

# A wrong value is refused here, and not after minutes of building.
build_runner() {
  publish
  dotnet "$runner/Orders.Chaos.dll" --plan-only ${arguments[@]+"${arguments[@]}"} >/dev/null
}

hold_installation
stage "Docker engine" ensure_engine
stage "Docker compose" ensure_compose
stage "This machine" check_machine
stage "Base images" ensure_images "$broker_image" "$database_image" "$sdk_image" "$runtime_image"
stage ".NET SDK" ensure_sdk
stage "Passwords (.env)" ensure_env
stage "The runner" build_runner
stage "C compiler" ensure_compiler
stage "Clocks" build_clock
stage "Building" build_images
# The checker knows each order that was ever posted here: it begins with none.
stage "Removing the last one" remove
# Before the start: one that fails leaves containers too.
[ -n "$keep" ] || at_exit 'remove >/dev/null 2>&1'
stage "Starting" start

CHAOS_PROJECT=$COMPOSE_PROJECT_NAME CHAOS_API=http://127.0.0.1:$API_PORT CHAOS_WORLD=http://127.0.0.1:$OUTSIDE_WORLD_PORT
CHAOS_MANAGEMENT=http://127.0.0.1:$RABBITMQ_MANAGEMENT_PORT ORDERS_API_KEY=$(setting ORDERS_API_KEY '') RABBITMQ_ADMIN_PASSWORD=$(setting RABBITMQ_ADMIN_PASSWORD '')
CHAOS_DASHBOARD=http://127.0.0.1:$DASHBOARD_PORT ORDERS_OPERATOR_KEY=$(setting ORDERS_OPERATOR_KEY '')
CHAOS_DATABASE="Host=127.0.0.1;Port=$CHAOS_DATABASE_PORT;Database=orders;Username=orders_owner"
[ -z "$replica" ] || CHAOS_DATABASE="Host=127.0.0.1:$CHAOS_DATABASE_PORT,127.0.0.1:$CHAOS_REPLICA_PORT;Database=orders;Username=orders_owner"
# Read by the driver. In the connection string some characters would mean something.
PGPASSWORD=$(setting POSTGRES_OWNER_PASSWORD '')
export CHAOS_PROJECT CHAOS_API CHAOS_WORLD CHAOS_MANAGEMENT CHAOS_DATABASE PGPASSWORD CHAOS_DASHBOARD ORDERS_API_KEY ORDERS_OPERATOR_KEY RABBITMQ_ADMIN_PASSWORD

status=0
dotnet "$runner/Orders.Chaos.dll" --folder "$folder" ${arguments[@]+"${arguments[@]}"} || status=$?
if [ "$status" -ne 0 ]; then
  docker compose logs --no-color --timestamps >"$folder/containers.log" 2>&1 || true
  echo "Violations, or the run broke off ($status); what the containers logged: $folder/containers.log" >&2
fi
exit "$status"
