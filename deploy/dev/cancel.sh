#!/usr/bin/env bash
# cancel an order of any client, or all that match a filter; steps that are done are undone.
#
# Usage: ./dev cancel ORDER --reason "why"
#        ./dev cancel FILTER ... --dry-run
#        ./dev cancel FILTER ... --yes --reason "why" [--per-second N]
#        ./dev cancel --follow ID
#        ./dev cancel --pause | --resume | --end ID --reason "why"
#
#   ORDER            its number, such as O-00000042, or its id
#   FILTER           --status Accepted, --step email (orders that still need it), --from 2026-01-01T00:00:00Z, --to …, --premium yes|no, --client NAME; all that are given must hold
#   --dry-run        how many match, how many would be cancelled, which not and why, and what it does outside; changes nothing
#   --yes            rehearse, confirm with the number of the rehearsal, and follow it to its end; Ctrl-C ends only the following
#   --per-second N   at most so many orders a second, 1 to 1000 (default 50)
#   --follow ID      follow a bulk action that is under way
#   --pause ID       what is done is done, the rest waits; --resume lets it go on, --end leaves the rest alone
#
# Steps that have not begun are skipped, running ones are cancelled. Stock goes back; the customer gets a mail, and a credit note for an issued invoice.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0, also when it was cancelled before; 4 when it is completed or rejected; 1 when the API refuses or does not answer, or some orders of a filter were refused.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/bulk.sh

order='' reason='' filter='' rate='' mode='' action=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run | --yes) mode=$1; shift; continue ;;
    --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev cancel --help." ;;
    --follow | --pause | --resume | --end)
      [ $# -gt 1 ] && [[ $2 =~ ^[0-9a-f-]{36}$ ]] || fail "Expected a bulk action's id after $1, found '${2-nothing}'." ;;
    --status | --step | --from | --to | --premium | --client | --per-second) [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev cancel --help." ;;
    -*) unknown_argument "an order, a filter and --reason" "$1" ;;
    *) [ -z "$order" ] || fail "Expected one order, found '$order' and '$1'."; order=$1; shift; continue ;;
  esac
  case $1 in
    --reason) reason=$2 ;;
    --follow | --pause | --resume | --end) mode=$1 action=$2 ;;
    --per-second) [[ $2 =~ ^[0-9]+$ ]] || fail "Expected a number after --per-second, found '$2'."; rate=$2 ;;
    *) filter+="${filter:+,}$(order_filter "$1" "$2")" ;;
  esac
  shift 2
done

need_reason() { [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."; }

case $mode in
  --follow) bulk_follow "$action"; exit ;;
  --pause | --resume | --end) need_reason; bulk_change "${mode#--}" "$action" "$reason"; exit ;;
esac
if [ -n "$filter" ]; then
  [ -z "$order" ] || fail "Expected an order or a filter, found both."
  [ -n "$mode" ] || fail "Expected --dry-run or --yes, found neither. See ./dev cancel --help."
  [ "$mode" = --dry-run ] || need_reason
  bulk cancel-orders '' "$filter" "$rate" "$mode" "$reason" "would be cancelled:"
  exit
fi

[ -z "$mode" ] || fail "Expected a filter with $mode, found '${order:-nothing}'. One order is cancelled without it."
[[ $order =~ ^[A-Za-z0-9-]+$ ]] || fail "Expected an order's number, such as O-00000042, or its id; found '$order'. See ./dev cancel --help."
need_reason

call POST "/orders/$order/cancel" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}" >/dev/null
echo "$order is cancelled; the order's page shows what is being undone."
