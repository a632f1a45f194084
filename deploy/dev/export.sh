#!/usr/bin/env bash
# export the data of a customer as JSON: orders, statuses, invoices, mails, web-hook events.
#
# Usage: ./dev export customer ADDRESS --reason "why" [--documents] [--output FILE]
#
#   ADDRESS        the customer's mail address, in any case
#   --documents    with the PDFs of invoices and credit notes, in base64; else only where the client finds them
#   --output FILE  write into a new file that only you may read; else to standard output
#
# The reason goes into the audit record, which is kept for ever: write no name and no address into it.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env, as an admin. Exit code 0; 1 when there is no such customer, or the API refuses.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

what=${1:-}
[ $# -eq 0 ] || shift
address='' reason='' documents=false output=''
while [ $# -gt 0 ]; do
  case $1 in
    --documents) documents=true; shift ;;
    --reason | --output) [ $# -gt 1 ] || fail "Expected a text after $1, found nothing. See ./dev export --help."
      case $1 in --reason) reason=$2 ;; *) output=$2 ;; esac
      shift 2 ;;
    -*) unknown_argument "--reason, --documents or --output" "$1" --reason --documents --output ;;
    *) [ -z "$address" ] || fail "Expected one address, found two. See ./dev export --help."; address=$1; shift ;;
  esac
done
[ "$what" = customer ] || unknown_argument "customer" "${what:-nothing}" customer
[[ $address == *@* ]] || fail "Expected the customer's mail address, found '$address'. See ./dev export --help."
[ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
[ ! -e "$output" ] || fail "Expected a new file after --output, found that $output exists."

[ -z "$output" ] || { umask 077; exec >"$output"; }
call POST /customers/export -H 'Content-Type: application/json' --max-time 600 --data-binary @- \
  <<<"{\"customer\":$(json_string "$address"),\"reason\":$(json_string "$reason"),\"documents\":$documents}"
