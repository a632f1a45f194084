#!/usr/bin/env bash
# send dead-lettered messages again: a dry run first, then canary, ramp and progress.
#
# Usage: ./dev redrive FILTER ... --dry-run
#        ./dev redrive FILTER ... --yes --reason "why" [--canary N] [--rate N] [--stop-percent N]
#        ./dev redrive --follow ID
#        ./dev redrive --stop | --resume | --cancel ID --reason "why"
#
#   FILTER             at least one of --step, --fault, --cause, --type, --order, --customer, --build, --queue, --from, --to, --text, --path; see ./dev failures --help
#   --dry-run          how many there are, how many would be sent, what would be skipped and why, and how the steps are that they go to; changes nothing
#   --yes              do it: first --canary messages (default 10), then --rate a second (default 50); it stops by itself when
#                      more than --stop-percent (default 20) of them fail again. Follows it to its end; Ctrl-C ends only the following.
#   --follow ID        follow a redrive that is under way
#   --stop ID          what is sent is sent, the rest waits; --resume lets it go on, --cancel frees what was not sent
#
# Exit code 0 when every message is done or was done before; 1 when it refuses, or some failed again or were skipped; 4 when another redrive has these messages.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

mode='' redrive='' reason='' filter='' options=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run | --yes) mode=$1; shift; continue ;;
  esac
  [ $# -gt 1 ] || know_options "$1"
  [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev redrive --help."
  case $1 in
    --reason) reason=$2 ;;
    --follow | --stop | --resume | --cancel) mode=$1 redrive=$2 ;;
    --canary | --rate | --stop-percent)
      [[ $2 =~ ^[0-9]+$ ]] || fail "Expected a number after $1, found '$2'."
      case $1 in --canary) name=canary ;; --rate) name=ratePerSecond ;; *) name=stopPercent ;; esac
      options+=",\"$name\":$2" ;;
    --step | --fault | --cause | --type | --order | --customer | --build | --queue | --from | --to | --text | --path)
      name=${1#--}; [ "$name" != cause ] || name=group
      filter+="${filter:+,}\"$name\":$(json_string "$2")" ;;
    *) unknown_argument "a filter or an option" "$1" ;;
  esac
  shift 2
done

body() { printf '{"filter":{%s},"reason":%s%s%s}' "$filter" "$(json_string "${reason:-dry run}")" "$options" "$1"; }

need_reason() { [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."; }

totals() { echo "$(text_of stage "$1"): $(number_of waiting "$1") waiting, $(number_of sent "$1") sent, $(number_of done "$1") done, $(number_of failedAgain "$1") failed again, $(number_of skipped "$1") skipped"; }

# follow ID: prints its totals whenever they change, until it is done or stopped; leaves the last answer in $now.
follow() {
  local last='' line stopped
  while true; do
    now=$(call GET "/redrives/$1")
    line=$(totals "$now")
    [ "$line" = "$last" ] || echo "  $line"
    last=$line
    [ "$(text_of stage "$now")" != Done ] || break
    stopped=$(text_of stoppedBecause "$now")
    [ -z "$stopped" ] || fail "Stopped: $stopped" "Go on with ./dev redrive --resume $1 --reason \"why\", or end it with --cancel."
    sleep 1
  done
}

# show_plan PLAN: what would happen, where to, and the first reasons for what would not.
show_plan() {
  echo "$(number_of total "$1") match: $(number_of toSend "$1") to send, $(number_of alreadyDone "$1") done already, $(number_of pointless "$1") pointless now, $(number_of invalid "$1") that do not fit, $(number_of outstanding "$1") in another redrive; $(number_of secondsAtRate "$1") s at this rate"
  local target step note
  printf '%s' "$1" | grep -o '{"step":[^{}]*"healthy":[^{}]*}' | while IFS= read -r target; do
    step=$(text_of step "$target") note=$(text_of note "$target") backlog=$(number_of backlog "$target")
    case $target in *'"healthy":true'*) ;; *) note="NOT HEALTHY: $note" ;; esac
    echo "  to ${step:-the exchange of their type}: $(number_of messages "$target")${backlog:+, behind $backlog that wait there}${note:+. $note}"
  done || true
  printf '%s' "$1" | grep -o '{"failureId":"[^"]*","reason":[^{}]*}' | while IFS= read -r target; do
    echo "  not $(text_of failureId "$target"): $(text_of reason "$target")"
  done || true
}

case $mode in
  --follow) follow "$redrive"; exit ;;
  --stop | --resume | --cancel)
    need_reason
    now=$(call POST "/redrives/$redrive/${mode#--}" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}")
    totals "$now"
    exit ;;
esac

[ -n "$filter" ] || fail "Expected at least one filter, found none: that would redrive everything that is dead-lettered. See ./dev redrive --help."
[ -n "$mode" ] || fail "Expected --dry-run or --yes, found neither. See ./dev redrive --help."
[ "$mode" = --dry-run ] || need_reason

plan=$(call POST /redrives/preview -H 'Content-Type: application/json' --data "$(body '')")
show_plan "$plan"
[ "$mode" = --yes ] || exit 0

made=$(call POST /redrives -H 'Content-Type: application/json' --data "$(body ",\"start\":true,\"expect\":$(number_of total "$plan")")")
id=$(text_of id "$made")
echo "Redrive $id"
follow "$id"
[ "$(number_of failedAgain "$now")" = 0 ] && [ "$(number_of skipped "$now")" = "$(number_of alreadyDone "$plan")" ]
