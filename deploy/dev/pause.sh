#!/usr/bin/env bash
# pause a step in all replicas; what is running finishes.
#
# Usage: ./dev pause STEP --reason "why"
#
# Messages wait in the step's queue, in their order, and use up no attempt. ./dev resume STEP lets it go on. It stays paused over restarts and new replicas.
#
# Waits up to 8 s for the workers and says how many have read the change; one that did not answer is named.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/steps.sh

switch_step pause "$@"
