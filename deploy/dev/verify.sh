#!/usr/bin/env bash
# run every check that .ci/run leaves to a longer run; fails if any part did not run.
#
# Usage: ./dev verify [PART ...]
#
#   PART   only these parts, by their names in the list below; the summary says that the others did not run
#
#   crash-points      every failpoint in every way, at its first and second hit
#   redrive-points    the same for the operators' process: redrives, index of failures
#   broken-variants   systems with a fault built in: the checker of ./dev chaos must find each
#   rolling-restarts  workers are restarted in turn under load
#   scenarios         all other tests of category Long: flow, time, silent networks, killed redrives, deployments under load
#   containers        users, limits, ports and networks of a running installation, SBOMs, and a change of all secrets under load
#   browser-budgets   size, first paint and live traffic of the dashboard's pages
#   chaos             ./dev chaos with two seeds that are drawn and printed, 2,000 orders and 12 faults each
#   broker-kills      ./dev chaos --scenario broker-kills
#   failover          ./dev chaos --scenario postgres-failover
#   restore           ./dev drill restore
#   scale             ./dev drill scale
#
# Give it a machine of its own and about an hour. Ends with a line per part (result, time, count) and with "N passed, N failed".
# Needed before a change in the engine is merged: see CONTRIBUTING.md.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/parts.sh

all=(crash-points redrive-points broken-variants rolling-restarts scenarios containers browser-budgets chaos broker-kills failover restore scale)
wanted=("$@")
[ $# -gt 0 ] || wanted=("${all[@]}")
for name in "${wanted[@]}"; do
  [[ " ${all[*]} " == *" $name "* ]] || unknown_argument "parts out of: ${all[*]}" "$name" "${all[@]}"
done

long='TestCategory=Long'
crash='FullyQualifiedName~Orders.CrashPoints.Tests' redrive='FullyQualifiedName~RedriveMatrixTests'
variants='FullyQualifiedName~BrokenVariants' restarts='FullyQualifiedName~RollingRestart' budgets='FullyQualifiedName~Dashboard.Tests.Pages.PageBudget'
containers='FullyQualifiedName~Architecture.Tests.Containers'
# What no other part names belongs to the scenarios: a new long test cannot fall between two parts.
not() { printf '&%s' "${@/'~'/'!~'}"; }

# One project after the other: these tests start processes, kill them and measure.
export ORDERS_TEST_LANES=1 ORDERS_LOG_LINES=60
unset ORDERS_CRASH_HITS

run_part() {
  local seed
  case $1 in
    crash-points) tests_part crash-points "$crash$(not "$redrive")" ;;
    redrive-points) tests_part redrive-points "$redrive" ;;
    broken-variants) tests_part broken-variants "$variants" ;;
    rolling-restarts) tests_part rolling-restarts "$restarts" ;;
    # Some measure: with as many others beside them as the gate has would be too many.
    scenarios) ORDERS_TEST_FIXTURES=3 tests_part scenarios "$long$(not "$crash" "$redrive" "$variants" "$restarts" "$containers" "$budgets")" ;;
    containers) ORDERS_TEST_PROJECT=Architecture tests_part containers "$containers&$long" ;;
    browser-budgets) tests_part browser-budgets "$budgets" ;;
    chaos)
      for _ in 1 2; do
        seed=$((RANDOM * 32768 + RANDOM))
        command_part "chaos, seed $seed" ./dev chaos --seed "$seed" --orders 2000 --faults 12
      done
      ;;
    broker-kills) command_part broker-kills ./dev chaos --scenario broker-kills ;;
    failover) command_part failover ./dev chaos --scenario postgres-failover ;;
    restore) command_part restore env COMPOSE_PROJECT_NAME=orders-verify-drill ./dev drill restore ;;
    scale) command_part scale env COMPOSE_PROJECT_NAME=orders-verify-drill ./dev drill scale ;;
  esac
}

begin_parts
export COMPOSE_PROJECT_NAME=orders-verify CHAOS_PORT=18680 DRILL_PORT=18780
for name in "${all[@]}"; do
  if [[ " ${wanted[*]} " == *" $name "* ]]; then run_part "$name"; else left_out "$name"; fi
done
end_parts
