#!/usr/bin/env bash
# erase the data of a customer: a rehearsal first; list erasures, and repeat them after a restore.
#
# Usage: ./dev erase customer ADDRESS --rehearse
#        ./dev erase customer ADDRESS --yes --reason "why"
#        ./dev erase list
#        ./dev erase repeat FILE --yes --reason "why"
#
#   ADDRESS      the customer's mail address, in any case
#   --rehearse   how many orders, invoices and failures there are, and what is in the way; changes nothing
#   --yes        do it: names, addresses and texts of faults become unreadable in the database and in dead-letter queues. It cannot be undone.
#                Follows it to its end; Ctrl-C ends only the following. Invoices stay for as long as tax law asks (Erasure__KeepInvoices).
#   list         a line for each erasure: a hash of the address, when it was asked for, rows, whether it is finished. Keep it beside your backups.
#                What an unfinished one waits for, such as a queue that may not be read, goes to standard error.
#   repeat FILE  after a backup was restored: erases again whoever is on that list
#
# A reason goes into the audit record, which is kept for ever: write no name and no address into it.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env, as an admin. Exit code 0; 1 when there is nothing about the customer or the API refuses;
# 4 when something is in the way, such as an order that is under way.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

what=${1:-}
[ $# -eq 0 ] || shift
subject='' mode='' reason=''
while [ $# -gt 0 ]; do
  case $1 in
    --rehearse | --yes) mode=$1; shift ;;
    --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev erase --help."; reason=$2; shift 2 ;;
    -*) unknown_argument "--rehearse, --yes or --reason" "$1" --rehearse --yes --reason ;;
    *) [ -z "$subject" ] || fail "Expected one argument after '$what', found two. See ./dev erase --help."; subject=$1; shift ;;
  esac
done

post() { call POST "$1" -H 'Content-Type: application/json' --max-time 600 --data-binary @- <<<"$2"; }

need_consent() {
  [ "$mode" = --yes ] || fail "Expected --yes: $1"
  [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
}

# follow ID: prints how far it is and what it waits for, until it is finished.
follow() {
  local now line waits last='' waited=''
  while true; do
    now=$(call GET "/erasures/$1")
    line="$(number_of done "$now") of $(number_of total "$now") erased"
    [ "$line" = "$last" ] || echo "  $line"
    last=$line
    waits=$(texts_of waitingFor "$now")
    [ -z "$waits" ] || [ "$waits" = "$waited" ] || printf '%s\n' "$waits" | sed 's/^/  Waits: /'
    waited=$waits
    case $now in *'"finishedAt":null'*) sleep 1 ;; *) break ;; esac
  done
}

# begun ANSWER: the ids in it, one a line.
begun() { printf '%s' "$1" | grep -o '"id":"[0-9a-f-]*"' | cut -d'"' -f4 || true; }

case $what in
  customer)
    [[ $subject == *@* ]] || fail "Expected the customer's mail address, found '$subject'. See ./dev erase --help."
    [ -n "$mode" ] || fail "Expected --rehearse or --yes, found neither. See ./dev erase --help."
    [ "$mode" = --rehearse ] || need_consent ''
    plan=$(post /erasures/preview "{\"customer\":$(json_string "$subject")}")
    echo "Orders: $(number_of orders "$plan"), invoices: $(number_of invoices "$plan"), web-hook events: $(number_of webhookEvents "$plan"), failures: $(number_of failures "$plan")"
    obstacles=$(printf '%s' "$plan" | sed -n 's/^.*"obstacles":\["\(.*\)"\],"erasedAt".*$/\1/p' | sed 's/","/\n/g')
    [ -z "$obstacles" ] || while IFS= read -r line; do echo "  In the way: $(plain "$line")"; done <<<"$obstacles"
    erased=$(text_of erasedAt "$plan")
    [ -z "$erased" ] || echo "  Erased before: $erased"
    [ "$mode" = --yes ] || exit 0
    made=$(post /erasures "{\"customer\":$(json_string "$subject"),\"reason\":$(json_string "$reason"),\"expect\":$(number_of orders "$plan")}")
    id=$(begun "$made")
    echo "Erasure $id"
    follow "$id"
    echo "Erased. Add the erasure to the list beside your backups: ./dev erase list" ;;
  list)
    all=$(call GET /erasures)
    printf '%s' "$all" | sed 's/},{"/}\n{"/g' | grep '"person"' | while IFS= read -r line; do
      printf '%s %s %s %s\n' "$(text_of person "$line")" "$(text_of requestedAt "$line")" "$(number_of total "$line")" \
        "$(case $line in *'"finishedAt":null'*) echo under-way ;; *) echo finished ;; esac)"
      texts_of waitingFor "$line" | sed 's/^/  Waits: /' >&2
    done || echo "There is no erasure." >&2 ;;
  repeat)
    [ -r "$subject" ] || fail "Expected a file that ./dev erase list has written, found '$subject'."
    need_consent "it erases whoever is on the list."
    list=$(awk 'NF >= 2 { printf "%s{\"person\":\"%s\",\"requestedAt\":\"%s\"}", (n++ ? "," : ""), $1, $2 }' "$subject")
    answer=$(post /erasures/repeat "{\"erasures\":[$list],\"reason\":$(json_string "$reason")}")
    for id in $(begun "$answer"); do echo "Erasure $id"; follow "$id"; done
    refused=$(printf '%s' "$answer" | grep -o '"detail":"[^"]*"' | cut -d'"' -f4 || true)
    [ -n "$(begun "$answer")$refused" ] || echo "Nobody on the list has data here."
    [ -z "$refused" ] || { while IFS= read -r line; do echo "In the way: $(plain "$line")"; done <<<"$refused" >&2; exit 4; } ;;
  *) unknown_argument "customer, list or repeat" "${what:-nothing}" customer list repeat ;;
esac
