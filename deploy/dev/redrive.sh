#!/usr/bin/env bash
# send parked messages again: see first what it would do, then do it and watch.
#
# Usage: ./dev redrive FILTER ... --dry-run
#        ./dev redrive FILTER ... --yes --reason "why" [--canary N] [--rate N] [--stop-percent N]
#
#   FILTER             at least one of --step, --fault, --cause, --type, --order, --customer, --build, --queue, --from, --to, --text, --path; see ./dev failures --help
#   --dry-run          how many there are, how many would be sent, what would be skipped and why; changes nothing
#   --yes              do it: first --canary messages (default 10), then --rate a second (default 50); it stops by itself when
#                      more than --stop-percent (default 20) of them fail again. Follows it to its end.
#
# Exit code 0 when every message is done or was done before; 1 when it refuses, or some failed again or were skipped; 4 when another redrive has these messages.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

mode='' reason='' filter='' options=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run | --yes) mode=$1; shift; continue ;;
  esac
  [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev redrive --help."
  case $1 in
    --reason) reason=$2 ;;
    --canary | --rate | --stop-percent)
      [[ $2 =~ ^[0-9]+$ ]] || fail "Expected a number after $1, found '$2'."
      case $1 in --canary) name=canary ;; --rate) name=ratePerSecond ;; *) name=stopPercent ;; esac
      options+=",\"$name\":$2" ;;
    --step | --fault | --cause | --type | --order | --customer | --build | --queue | --from | --to | --text | --path)
      name=${1#--}; [ "$name" != cause ] || name=group
      filter+="${filter:+,}\"$name\":$(json_string "$2")" ;;
    *) fail "Expected a filter or an option, found '$1'. See ./dev redrive --help." ;;
  esac
  shift 2
done
[ -n "$filter" ] || fail "Expected at least one filter, found none: that would redrive everything that is parked. See ./dev redrive --help."
[ -n "$mode" ] || fail "Expected --dry-run or --yes, found neither. See ./dev redrive --help."

body() { printf '{"filter":{%s},"reason":%s%s%s}' "$filter" "$(json_string "${reason:-dry run}")" "$options" "$1"; }

plan=$(call POST /redrives/preview -H 'Content-Type: application/json' --data "$(body '')")
total=$(number_of total "$plan")
echo "$total match: $(number_of toSend "$plan") to send, $(number_of alreadyDone "$plan") done already, $(number_of pointless "$plan") cancelled meanwhile, $(number_of invalid "$plan") that do not fit, $(number_of outstanding "$plan") in another redrive; $(number_of secondsAtRate "$plan") s at this rate"
printf '%s' "$plan" | grep -o '"step":"[^"]*","messages":[0-9]*,"backlog":[0-9a-z]*,"consumers":[0-9a-z]*,"healthy":[a-z]*' | sed 's/"//g; s/,/, /g; s/:/ /g; s/^/  /' || true
[ "$mode" = --yes ] || exit 0

[ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
made=$(call POST /redrives -H 'Content-Type: application/json' --data "$(body ",\"start\":true,\"expect\":$total")")
id=$(text_of id "$made")
echo "Redrive $id"
last=''
while true; do
  now=$(call GET "/redrives/$id")
  line="$(text_of stage "$now"): $(number_of waiting "$now") waiting, $(number_of sent "$now") sent, $(number_of done "$now") done, $(number_of failedAgain "$now") failed again, $(number_of skipped "$now") skipped"
  [ "$line" = "$last" ] || echo "  $line"
  last=$line
  [ "$(text_of stage "$now")" != Done ] || break
  stopped=$(text_of stoppedBecause "$now")
  [ -z "$stopped" ] || fail "Stopped: $stopped Go on with POST $operator_api/redrives/$id/resume, or end it with …/cancel."
  sleep 1
done
[ "$(number_of failedAgain "$now")" = 0 ] && [ "$(number_of skipped "$now")" = "$(number_of alreadyDone "$plan")" ]
