#!/usr/bin/env bash
# stop everything and remove the containers; the data stays.
#
# Usage: ./dev down [--volumes]
#
#   --volumes   also remove the data: orders, queues, the demo's mails. There is no way back.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/env.sh

options=(--remove-orphans) volumes=no
for argument in "$@"; do
  case $argument in
    --volumes | -v) options+=(--volumes) volumes=yes ;;
    *) unknown_argument "nothing or --volumes" "$argument" ;;
  esac
done

project=$(project_name)
containers() { docker ps -aq --filter "label=com.docker.compose.project=$project" | wc -l | tr -d ' '; }
volumes() { docker volume ls -q --filter "label=com.docker.compose.project=$project" | wc -l | tr -d ' '; }

# Also what an earlier .env has started.
export COMPOSE_PROFILES='*'

stop() {
  local before
  before=$(containers)
  docker compose down "${options[@]}"
  note "$before containers removed"
}

stage "Docker engine" need_engine
hold_installation
excuse_missing_settings
stage "Stopping" stop
left=$(volumes)
if [ "$volumes" = yes ]; then
  [ "$left" -eq 0 ] || fail "$left volumes of project '$project' are still there: $(docker volume ls -q --filter "label=com.docker.compose.project=$project" | xargs)." "Remove what uses them ('docker ps -a --filter volume=NAME'), then run ./dev down --volumes again."
  echo "Project '$project' is stopped, its data is removed."
elif [ "$left" -eq 0 ]; then
  echo "Project '$project' is stopped; it has no data."
else
  echo "Project '$project' is stopped; its data stays in $left volumes. ./dev up goes on with it, ./dev down --volumes removes it."
fi
