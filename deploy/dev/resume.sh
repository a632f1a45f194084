#!/usr/bin/env bash
# let a paused step go on.
#
# Usage: ./dev resume STEP --reason "why"
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/steps.sh

switch_step resume "$@"
