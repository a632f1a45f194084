#!/usr/bin/env bash
# check the form of code, scripts and docs; changes nothing.
#
# Usage: ./dev lint
#
# Checks that shell scripts parse. Analyzers and code style are checked by the build, where each finding is an error.
set -euo pipefail
. deploy/machine/stages.sh

shell_scripts() {
  local script bad=0 count=0
  while IFS= read -r script; do
    count=$((count + 1))
    bash -n "$script" || bad=$((bad + 1))
  done < <(find . -name '*.sh' -not -path '*/node_modules/*' -not -path './artifacts/*'; echo ./dev; echo ./.ci/run)
  note "$count scripts"
  [ "$bad" -eq 0 ] || fail "Expected scripts that parse, found $bad that do not; see above."
}

stage "Shell scripts" shell_scripts
