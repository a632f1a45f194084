#!/usr/bin/env bash
# archive failures that match a filter: nobody needs their messages any more.
#
# Usage: ./dev archive FILTER ... --dry-run
#        ./dev archive FILTER ... --yes --reason "why"
#
#   FILTER      at least one of --step, --fault, --cause, --type, --order, --customer, --build, --queue, --from, --to, --text, --path; see ./dev failures --help
#   --dry-run   how many match, how many would be archived, which not and why; changes nothing
#   --yes       rehearse, confirm with the number of the rehearsal, and follow it to its end; Ctrl-C ends only the following
#
# An archived failure can be restored on its page for a while. ./dev cancel --pause, --resume and --end hold a bulk action that is under way.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer, or some failures were refused.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/bulk.sh

mode='' reason='' filter=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run | --yes) mode=$1; shift; continue ;;
    --reason | --step | --fault | --cause | --type | --order | --customer | --build | --queue | --from | --to | --text | --path)
      [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev archive --help." ;;
    *) unknown_argument "a filter or an option" "$1" ;;
  esac
  name=${1#--}
  [ "$name" != cause ] || name=group
  if [ "$name" = reason ]; then reason=$2; else filter+="${filter:+,}\"$name\":$(json_string "$2")"; fi
  shift 2
done
[ -n "$filter" ] || fail "Expected at least one filter, found none: that would archive everything that is dead-lettered. See ./dev archive --help."
[ -n "$mode" ] || fail "Expected --dry-run or --yes, found neither. See ./dev archive --help."
[ -n "$reason" ] || [ "$mode" = --dry-run ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
bulk archive-failures '' "$filter" '' "$mode" "$reason" "would be archived:"
