#!/usr/bin/env bash
# list the causes of dead-lettered messages, or the messages themselves.
#
# Usage: ./dev failures [--each] [FILTER ...] [--limit N]
#
# Prints one line per cause: how many, the step, the fault, its fingerprint. With --each, --cause, --order or --limit one line per message.
#
#   --each                the messages one by one, however many have one cause
#   --step email          filters, all of which must hold:
#   --fault SomeException, --cause FINGERPRINT, --type OrderAccepted, --order O-00000042, --customer zoe@example.com,
#   --build 0.2.0, --queue email_error, --from 2026-11-24T08:00:00Z, --to …, --text "disk", --path customer.city=Hamburg,
#   --state Failed|Redriving|Redriven|FailedAgain|Archived|Gone
#   --limit N             how many messages (default 50, at most 500)
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

groups=yes query=() limit=50
while [ $# -gt 0 ]; do
  case $1 in
    --each) groups=no; shift; continue ;;
    --step | --fault | --type | --order | --customer | --build | --queue | --from | --to | --text | --path | --state | --cause | --limit)
      [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev failures --help." ;;
    *) unknown_argument "a filter" "$1" ;;
  esac
  case $1 in
    --limit) limit=$2 groups=no ;;
    --cause) query+=(--data-urlencode "group=$2") groups=no ;;
    --order) query+=(--data-urlencode "order=$2") groups=no ;;
    *) query+=(--data-urlencode "${1#--}=$2") ;;
  esac
  shift 2
done

lines() { sed 's/},{"/}\n{"/g' | grep '"fingerprint"' || true; }

if [ "$groups" = yes ]; then
  answer=$(call GET /failures/groups --get ${query[@]+"${query[@]}"})
  case $answer in '[]'*) echo "Nothing matches"; exit ;; esac
  printf '%7s  %-12s %-40s %s\n' count step fault fingerprint
  printf '%s' "$answer" | lines | while IFS= read -r line; do
    fault=$(text_of faultType "$line")
    printf '%7s  %-12s %-40s %s  %s\n' "$(number_of count "$line")" "$(text_of step "$line")" "${fault##*.}" "$(text_of fingerprint "$line")" "$(text_of faultMessage "$line" | cut -c1-100)"
  done
  echo "Messages of a cause: ./dev failures --cause FINGERPRINT; all of them: --each."
  exit
fi

[[ $limit =~ ^[0-9]+$ ]] && [ "$limit" -ge 1 ] && [ "$limit" -le 500 ] || fail "Expected a number from 1 to 500 after --limit, found '$limit'."
answer=$(call GET /failures --get --data-urlencode "limit=$limit" ${query[@]+"${query[@]}"})
printf '%s' "$answer" | lines | while IFS= read -r line; do
  fault=$(text_of faultType "$line")
  printf '%s  %-11s %-14s %-28s %s  %s\n' "$(text_of id "$line")" "$(text_of state "$line")" "$(text_of queue "$line")" "${fault##*.}" "$(text_of lastAt "$line" | cut -c1-19)" "$(text_of faultMessage "$line" | cut -c1-100)"
done
more=''
case $answer in *'"totalIsMore":true'*) more=' or more' ;; esac
total=$(number_of total "$answer")
case $total$more in 1) echo "1 matches" ;; *) echo "$total$more match" ;; esac
[ "$total" -le "$limit" ] || echo "The newest $limit are shown; --limit shows more (at most 500), without --each, --limit, --cause and --order their causes."
