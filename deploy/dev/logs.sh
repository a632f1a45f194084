#!/usr/bin/env bash
# show the logs of the services; on a terminal it keeps following.
#
# Usage: ./dev logs [service ...] [options of docker compose logs]
#
# Without a service: all of them. Example: ./dev logs email --since 5m
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/env.sh

need_engine
excuse_missing_settings
project=$(project_name)
services=$(docker ps -a --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.service"}}' | sort -u)
[ -n "$services" ] || fail "Project '$project' has no containers, so there are no logs." "Start it with ./dev up. Running projects: $(docker compose ls --quiet | xargs)"
# The first words are services; from the first option on everything is compose's.
for argument in "$@"; do
  [[ $argument != -* ]] || break
  # shellcheck disable=SC2086 # one word each
  printf '%s\n' $services | grep -qx -e "$argument" || fail "Expected a service with containers, found '$argument'$(suggest "$argument" $services) Services: $(echo $services | sed 's/ /, /g')."
done

options=(--tail 200)
if [ -t 1 ]; then options+=(--follow); else options+=(--no-color); fi
exec docker compose logs "${options[@]}" "$@"
