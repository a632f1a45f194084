#!/usr/bin/env bash
# say of each running process whether it is ready, and why not.
#
# Usage: ./dev health [SERVICE ...] [--metrics]
#
#   SERVICE     only the containers of this service, such as email
#   --metrics   print the metrics of the processes (Prometheus) instead
#
# Asks /health/ready inside each container, on the port of the metrics: it alone says more than the status, and is not published. PostgreSQL and RabbitMQ are reported as Docker sees them.
#
# Exit code 0 when every container is ready; 1 when one is not.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/env.sh
. deploy/dev/operator-api/call.sh

metrics='' wanted=()
for argument in "$@"; do
  case $argument in
    --metrics) metrics=yes ;;
    -*) unknown_argument "a service or --metrics" "$argument" ;;
    *) wanted+=("$argument") ;;
  esac
done

need_engine
project=$(project_name)
# A line for each container: service, id, state, and what the health check of Docker says. `migrate` and `standby` have ended, as they should.
containers=$(docker ps -a --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False \
  --format '{{.Label "com.docker.compose.service"}} {{.ID}} {{.State}} {{.Status}}' | grep -v -E '^(migrate|standby) ' | sort || true)
[ -n "$containers" ] || fail "Project '$project' has no containers." "Start it with ./dev up. Running projects: $(docker compose ls --quiet | xargs)"
services=$(printf '%s\n' "$containers" | cut -d' ' -f1 | sort -u)
for service in ${wanted[@]+"${wanted[@]}"}; do
  # shellcheck disable=SC2086 # one word each
  printf '%s\n' $services | grep -qx -e "$service" || fail "Expected a service with containers, found '$service'$(suggest "$service" $services) Services: $(echo $services | sed 's/ /, /g')."
done

# get CONTAINER PORT PATH: the whole answer, by bash alone. The time limit ends a process that is frozen.
get() {
  docker exec "$1" timeout 20 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" "$1" >&3 && cat <&3' "$2" "$3" 2>&1
}

# body_of ANSWER: what follows the empty line.
body_of() { printf '%s\n' "$1" | sed '1,/^\r*$/d'; }

# code_of ANSWER: the HTTP status.
code_of() { printf '%s\n' "$1" | sed -n '1s/^HTTP\/1\.[01] \([0-9]*\).*/\1/p'; }

# details_of JSON: a line for each check that is not healthy.
details_of() {
  local check name
  while IFS= read -r check; do
    name=${check#\"}
    echo "  ${name%%\"*} is $(text_of status "$check"): $(text_of detail "$check")"
  done < <(printf '%s' "$1" | grep -o '"[a-zA-Z0-9_.-]*":{"status":"[A-Za-z]*","detail":"\([^"\\]\|\\.\)*"' | grep -v '"status":"Healthy"')
}

# report SERVICE ID STATE STATUS: a line, and the reasons below it; fails when the container is not ready.
report() {
  local service=$1 id=$2 state=$3 status=$4 port=8080 answer='' code
  if [ "$state" != running ]; then
    printf '%-14s %s  %s\n' "$service" "$id" "$status"
    return 1
  fi
  case $service in
    postgres* | rabbitmq* | pgbouncer | prometheus | alertmanager | grafana | traces)
      printf '%-14s %s  %s\n' "$service" "$id" "$status"
      [[ $status != *unhealthy* && $status != *starting* ]]
      return ;;
    outside-world) port=8025 ;;
  esac
  # Without that port (Metrics__Port, or an image of before) the other one says the status.
  [ "$port" != 8080 ] || answer=$(get "$id" 9464 /health/ready) || true
  code=$(code_of "$answer")
  case $code in
    200 | 503) ;;
    *)
      answer=$(get "$id" "$port" /health/ready) || true
      code=$(code_of "$answer") ;;
  esac
  case $code in
    200) printf '%-14s %s  ready\n' "$service" "$id"; details_of "$(body_of "$answer")"; return ;;
    '') printf '%-14s %s  no answer: %s\n' "$service" "$id" "$(printf '%s\n' "${answer:-the time limit of 20 s has passed}" | tail -n 1)" ;;
    *) printf '%-14s %s  not ready (%s)\n' "$service" "$id" "$code"; details_of "$(body_of "$answer")" ;;
  esac
  return 1
}

bad=0
while read -r service id state status; do
  [ ${#wanted[@]} -eq 0 ] || printf '%s\n' "${wanted[@]}" | grep -qx -e "$service" || continue
  if [ -n "$metrics" ]; then
    case $service in postgres* | rabbitmq* | pgbouncer | prometheus | alertmanager | grafana | traces | outside-world) continue ;; esac
    [ "$state" = running ] || continue
    echo "# $service $id"
    body_of "$(get "$id" 9464 /metrics)"
  else
    report "$service" "$id" "$state" "$status" </dev/null || bad=$((bad + 1))
  fi
done < <(printf '%s\n' "$containers")
[ "$bad" -eq 0 ]
