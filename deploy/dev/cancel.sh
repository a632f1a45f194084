#!/usr/bin/env bash
# cancel an order of any client; steps that are done are undone.
#
# Usage: ./dev cancel ORDER --reason "why"
#
#   ORDER   its number, such as O-00000042, or its id
#
# Steps that have not begun are skipped, running ones are cancelled. Stock goes back; the customer gets a mail, and a credit note for an issued invoice.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0, also when it was cancelled before; 4 when it is completed or rejected; 1 when the API refuses or does not answer.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

order='' reason=''
while [ $# -gt 0 ]; do
  case $1 in
    --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev cancel --help."; reason=$2; shift 2 ;;
    -*) unknown_argument "an order and --reason" "$1" ;;
    *) [ -z "$order" ] || fail "Expected one order, found '$order' and '$1'."; order=$1; shift ;;
  esac
done
[[ $order =~ ^[A-Za-z0-9-]+$ ]] || fail "Expected an order's number, such as O-00000042, or its id; found '$order'. See ./dev cancel --help."
[ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."

call POST "/orders/$order/cancel" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}" >/dev/null
echo "$order is cancelled; the order's page shows what is being undone."
