#!/usr/bin/env bash
# make .env: passwords, the API key; adds what is missing, changes nothing. --check prints what each service gets.
#
# Usage: ./dev env [--check [--all]]
#
#   --check   print what each service would get, secrets masked, and where it is from. Names what has no effect. Writes nothing.
#   --all     with --check: print the settings that have their defaults too
#
# Every ${NAME:?…} in docker-compose.yml gets a value in .env (mode 600, ignored by git). Ports and addresses may be set there too:
#   BIND_ADDRESS (127.0.0.1), API_PORT (8080), DASHBOARD_PORT (8081), OUTSIDE_WORLD_PORT (8025), RABBITMQ_MANAGEMENT_PORT (15672)
# and every setting of docs/configuration.md by its own name. A new .env has COMPOSE_PROFILES=demo, which starts the demo's mail server and warehouse.
# Write a password in single quotes: EMAIL_DB_PASSWORD='a;b "c$d'
#
# --check ends with exit code 1 when a variable has no effect, or a password is missing.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/engine.sh
. deploy/machine/env.sh
. deploy/machine/settings.sh

check='' all=''
for argument in "$@"; do
  case $argument in
    --check) check=yes ;;
    --all) all=all ;;
    *) unknown_argument "--check or no argument" "$argument" --check --all ;;
  esac
done
[ -z "$all" ] || [ -n "$check" ] || fail "Expected --check with --all. See ./dev env --help."

if [ -z "$check" ]; then
  stage ".env" ensure_env
  warn_of_env
  exit
fi

need_compose
missing=$(missing_settings | xargs)
excuse_missing_settings
show_settings "$all"
problems=$(env_problems)
echo
[ -n "$all" ] || echo "All other settings have their defaults: ./dev env --check --all prints them, docs/configuration.md explains them."
[ -z "$missing" ] || problems+=${problems:+$'\n'}"Missing: $missing. ./dev env makes them up."
[ -z "$problems" ] || fail "$problems"
