#!/usr/bin/env bash
# change concurrency and rates of a step while it runs.
#
# Usage: ./dev limit STEP [--per-replica N] [--total N] [--rates "100/m, 5/10s per customer"] --reason "why"
#        ./dev limit STEP --reset --reason "why"
#
#   --per-replica N   runs at a time in one replica, up to what its policy allows
#   --total N         runs at a time over all replicas
#   --rates TEXT      runs that may begin in a span (s, m, h, d), over all replicas; "per customer" or "per mail-domain" for each of those; "" for no limit
#   --reset           all of it as the step's policy says
#
# Of the two numbers, the one that is not given goes back to the policy's. What waits uses up no attempt.
#
# Waits up to 8 s for the workers and says how many have read the change; one that did not answer is named.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/steps.sh

step='' reason='' numbers='' rates=''
while [ $# -gt 0 ]; do
  case $1 in
    --reset) numbers='"perReplica":null,"total":null' rates=null; shift; continue ;;
    --per-replica | --total | --rates | --reason) [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev limit --help." ;;
    -*) unknown_argument "an option" "$1" ;;
    *) [ -z "$step" ] || fail "Expected one step, found '$step' and '$1'."; step=$1; shift; continue ;;
  esac
  case $1 in
    --reason) reason=$2 ;;
    --rates) rates=$(json_string "$2") ;;
    *)
      [[ $2 =~ ^[0-9]+$ ]] || fail "Expected a number after $1, found '$2'."
      case $1 in --total) name=total ;; *) name=perReplica ;; esac
      numbers+="${numbers:+,}\"$name\":$2" ;;
  esac
  shift 2
done
is_step "$step"
[ -n "$numbers$rates" ] || fail "Expected a limit or --reset, found neither. See ./dev limit --help."
[ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."

change() {
  local answer
  answer=$(call PUT "/steps/$step/$1" -H 'Content-Type: application/json' --data "{$2,\"reason\":$(json_string "$reason")}")
  text_of summary "$answer"
  echo
}
[ -z "$numbers" ] || change concurrency "$numbers"
[ -z "$rates" ] || change rates "\"rates\":$rates"
show_limits "$step"
