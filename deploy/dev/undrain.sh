#!/usr/bin/env bash
# give a drained worker process back to its steps.
#
# Usage: ./dev undrain WORKER --reason "why"
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer, 4 when the worker has stopped.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/workers.sh

switch_worker undrain "$@"
