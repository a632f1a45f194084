#!/usr/bin/env bash
# drain one worker process: it takes no more messages; the other replicas go on.
#
# Usage: ./dev drain WORKER --reason "why"
#
# WORKER is a host (a container's id) or a worker's id; without one the living ones are listed. It takes nothing more from the queues of its steps, and what it runs finishes.
# ./dev undrain WORKER gives it back. A process that starts in its place is another worker, and takes messages.
#
# Waits up to 5 s for the process and says whether it has read the change.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer, 4 when the worker has stopped.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/workers.sh

switch_worker drain "$@"
