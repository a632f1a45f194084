#!/usr/bin/env bash
# resume a paused step.
#
# Usage: ./dev resume STEP --reason "why"
#
# Waits up to 8 s for the workers and says how many have read the change; one that did not answer is named.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/steps.sh

switch_step resume "$@"
