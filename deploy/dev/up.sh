#!/usr/bin/env bash
# set up this machine, build and start everything; ends when all is healthy.
#
# Usage: ./dev up [--scale STEP=N ...] [--tls | --observability]
#
#   --scale email=3   so many containers of a step (default 1)
#   --tls             everything encrypted (docker-compose.tls.yml), now and at each later ./dev up: COMPOSE_FILE in .env says so
#   --observability   also Prometheus, Alertmanager, Grafana, and a viewer of traces and logs (deploy/observability); remembered likewise
#
# Uses the Docker engine that is there. On Debian as root it installs a missing engine and compose plugin, and where no registry
# answers it builds stand-ins of the base images from Debian's packages. Then: docker compose up --build --wait.
#
# The mail server and the warehouse of the demo (compose profile `demo`) start unless .env says otherwise: COMPOSE_PROFILES= starts none.
#
# Before it builds anything it checks engine and compose versions, memory, disk, ports, .env, and whether existing data opens with .env.
# Exit code 0 when everything is healthy. On a failure it says what was found and what to change, and names the full log.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/env.sh
. deploy/machine/settings.sh
. deploy/machine/tls.sh
. deploy/machine/observability.sh

scale=() tls='' observability=''
while [ $# -gt 0 ]; do
  case $1 in
    --scale) [ $# -gt 1 ] || fail "Expected STEP=N after --scale, found nothing. Example: ./dev up --scale email=3"; is_scale "$2"; scale+=(--scale "$2"); shift 2 ;;
    --scale=*) is_scale "${1#--scale=}"; scale+=(--scale "${1#--scale=}"); shift ;;
    --tls) choose_tls; tls=yes; shift ;;
    --observability) observability=yes; shift ;;
    *) unknown_argument "--scale STEP=N, --tls or --observability" "$1" ;;
  esac
done
[ -z "$observability" ] || choose_observability

check_machine() {
  check_clone
  check_ports
  check_room
}

start() {
  if docker compose up -d --wait --wait-timeout 300 --remove-orphans ${scale[@]+"${scale[@]}"}; then return; fi
  docker compose ps --all
  docker compose logs --no-color --tail 200
  # A cause that is known from these logs says more than the list of services.
  ! known_cause "$stage_log" >/dev/null || return 1
  fail "$(unhealthy_services)" "Their logs: ./dev logs SERVICE. Run ./dev up again once the cause is removed; what is healthy stays up."
}

hold_installation
began=$(milliseconds)
stage "Docker engine" ensure_engine
stage "Docker compose" ensure_compose
stage "This machine" check_machine
stage "Base images" ensure_images "$broker_image" "$database_image" "$sdk_image" "$runtime_image"
! uses_observability || stage "Images for observability" ensure_images "$prometheus_image" "$alertmanager_image" "$traces_image"
stage "Passwords (.env)" ensure_env
warn_of_env
# After .env, which keeps the profiles of later starts: Grafana's is found anew each time.
! uses_observability || stage_grafana
[ -z "$tls" ] || remember_tls
[ -z "$observability" ] || remember_observability
! uses_tls || stage_certificates
stage "Existing data" check_data
stage "Building" build_images
# A rebuild leaves the image before it without a name.
docker image prune -f --filter "label=com.docker.compose.project=$(project_name)" >/dev/null
stage "Starting" start

address=$(scheme)://$(setting BIND_ADDRESS 127.0.0.1)
echo
echo "Up in $(seconds $(($(milliseconds) - began))) s. Try ./dev post; stop with ./dev down."
echo "  API                 $address:$(setting API_PORT 8080)/docs   (key: ORDERS_API_KEY in .env)"
echo "  Dashboard           $address:$(setting DASHBOARD_PORT 8081)/   (admin, ORDERS_ADMIN_PASSWORD in .env; API key: ORDERS_OPERATOR_KEY)"
! has_demo || echo "  Mails and warehouse $address:$(setting OUTSIDE_WORLD_PORT 8025)/"
echo "  RabbitMQ            $address:$(setting RABBITMQ_MANAGEMENT_PORT 15672)/   (orders_admin, RABBITMQ_ADMIN_PASSWORD in .env)"
! uses_observability || observability_addresses
