#!/usr/bin/env bash
# show what the services say; on a terminal it keeps following.
#
# Usage: ./dev logs [service ...] [options of docker compose logs]
#
# Without a service: all of them. Example: ./dev logs email --since 5m
set -euo pipefail
. deploy/machine/stages.sh

options=(--tail 200)
if [ -t 1 ]; then options+=(--follow); else options+=(--no-color); fi
exec docker compose logs "${options[@]}" "$@"
