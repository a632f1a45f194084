#!/usr/bin/env bash
# build the solution with analyzers and code style, each finding an error.
#
# Usage: ./dev build
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/sdk.sh
. deploy/machine/browser.sh
. deploy/machine/build.sh

[ $# -eq 0 ] || unknown_argument "no argument" "$1"
build_solution
