#!/usr/bin/env bash
# end the drain of a worker process: it takes messages again.
#
# Usage: ./dev undrain WORKER --reason "why"
#
# Waits up to 5 s for the process and says whether it has read the change.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer, 4 when the worker has stopped.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/workers.sh

switch_worker undrain "$@"
