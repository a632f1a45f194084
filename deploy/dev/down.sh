#!/usr/bin/env bash
# stop everything and remove the containers; the data stays.
#
# Usage: ./dev down [--volumes]
#
#   --volumes   also remove the data: orders, queues, the demo's mails. There is no way back.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/env.sh

options=(--remove-orphans)
for argument in "$@"; do
  case $argument in
    --volumes | -v) options+=(--volumes) ;;
    *) fail "Expected nothing or --volumes, found '$argument'. See ./dev down --help." ;;
  esac
done
# Compose insists on every setting even to stop. Without .env any value will do; making a new .env here would hide that the old one is lost.
[ -f .env ] || for name in $(required_settings); do export "$name=unused"; done
stage "Stopping" docker compose down "${options[@]}"
