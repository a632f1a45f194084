#!/usr/bin/env bash
# make .env: passwords, the API key; adds what is missing, changes nothing.
#
# Usage: ./dev env
#
# Every ${NAME:?…} in docker-compose.yml gets a value in .env (mode 600, ignored by git). Ports and addresses may be set there too:
#   BIND_ADDRESS (127.0.0.1), API_PORT (8080), DASHBOARD_PORT (8081), OUTSIDE_WORLD_PORT (8025), RABBITMQ_MANAGEMENT_PORT (15672)
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/env.sh
[ $# -eq 0 ] || unknown_argument "no argument" "$1"
stage ".env" ensure_env
