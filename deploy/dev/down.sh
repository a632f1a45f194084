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
ensure_env >/dev/null # compose reads the whole file even to stop it
stage "Stopping" docker compose down "${options[@]}"
