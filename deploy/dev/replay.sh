#!/usr/bin/env bash
# feed a step with past orders; effects that exist are not repeated.
#
# Usage: ./dev replay STEP --per-second N [FILTER ...] --reason "why"
#        ./dev replay STEP FILTER ... --dry-run
#        ./dev replay STEP FILTER ... --yes --reason "why" [--per-second N]
#        ./dev replay --list
#        ./dev replay --stop ID | --resume ID
#
#   STEP             such as a new fifth step
#   --per-second N   at most so many orders a second, 1 to 5000
#   FILTER           --from 2026-01-01T00:00:00Z, --to …, --status Completed, --step email (orders that still need it), --premium yes|no, --client NAME; all that are given must hold. None: every past order
#   --dry-run        for at most 100,000 orders: how many match, how many would be fed, which not and why; changes nothing
#   --yes            rehearse, confirm with the number of the rehearsal, and follow it: only these orders are fed. ./dev cancel --pause, --resume and --end hold it too
#   --list           the replays and how far they are
#   --stop, --resume hold one, and let it go on from where it stands
#
# Without --dry-run and --yes it begins at once, also for millions of orders. Follows what it begins to its end; stopping to look (Ctrl+C) does not stop the replay.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses, fails or does not answer; 4 when a replay is not in the state for it.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/bulk.sh

line_of() {
  printf '%s  %-10s %-9s %s orders seen: %s fed, %s done before%s\n' "$(text_of id "$1")" "$(text_of step "$1")" "$(text_of state "$1")" \
    "$(number_of seen "$1")" "$(number_of fed "$1")" "$(number_of alreadyDone "$1")" "$(text_of lastError "$1" | sed 's/^./; &/')"
}

step='' reason='' rate='' filter='' mode=''
while [ $# -gt 0 ]; do
  case $1 in
    --list)
      answer=$(call GET /replays)
      printf '%s' "$answer" | sed 's/},{"/}\n{"/g' | grep '"perSecond"' | while IFS= read -r line; do line_of "$line"; done || echo "There is no replay."
      exit ;;
    --stop | --resume)
      [ $# -gt 1 ] || fail "Expected a replay's id after $1, found nothing. ./dev replay --list shows them."
      [[ $2 =~ ^[0-9a-f-]{36}$ ]] || fail "Expected a replay's id after $1, found '$2'. ./dev replay --list shows them."
      call POST "/replays/$2/${1#--}" >/dev/null
      line_of "$(call GET "/replays/$2")"
      exit ;;
    --dry-run | --yes) mode=$1; shift; continue ;;
    --per-second | --from | --to | --status | --step | --premium | --client | --reason) [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev replay --help." ;;
    -*) unknown_argument "an option" "$1" ;;
    *) [ -z "$step" ] || fail "Expected one step, found '$step' and '$1'."; step=$1; shift; continue ;;
  esac
  case $1 in
    --reason) reason=$2 ;;
    --per-second) [[ $2 =~ ^[0-9]+$ ]] || fail "Expected a number after --per-second, found '$2'."; rate=$2 ;;
    *) filter+="${filter:+,}$(order_filter "$1" "$2")" ;;
  esac
  shift 2
done
[ -n "$step" ] || fail "Expected a step, found none. See ./dev replay --help."
[ -n "$rate$mode" ] || fail "Expected --per-second N, found none. See ./dev replay --help."
[ -n "$reason" ] || [ "$mode" = --dry-run ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
if [ -n "$mode" ]; then
  bulk replay-step "$step" "$filter" "$rate" "$mode" "$reason" "would be replayed:"
  exit
fi

made=$(call POST /replays -H 'Content-Type: application/json' --data "{\"step\":$(json_string "$step"),\"perSecond\":$rate,\"filter\":{$filter},\"reason\":$(json_string "$reason")}")
id=$(text_of id "$made") last=''
while true; do
  now=$(call GET "/replays/$id")
  line=$(line_of "$now")
  [ "$line" = "$last" ] || echo "$line"
  last=$line
  case $(text_of state "$now") in
    Running) sleep 1 ;;
    Finished) exit ;;
    *) exit 1 ;;
  esac
done
