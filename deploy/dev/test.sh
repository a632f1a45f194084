#!/usr/bin/env bash
# set up this machine and run the tests; ends with "N passed, N failed".
#
# Usage: ./dev test [FILTER | --long]
#
#   FILTER   a word: only tests whose full name contains it; or an expression for `dotnet test --filter`
#   --long   only the long ones, which a run without a filter leaves out (category Long: the crash-point matrix, rolling restarts, shows of
#            flow and time, broken variants): many processes start and die in them; give them a machine of their own and half an hour
#
# Needs the .NET SDK and a Docker engine; see ./dev up --help for what set-up brings.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/sdk.sh
. deploy/machine/fonts.sh
. deploy/machine/browser.sh

filter=()
case ${1:-} in
  '') filter=(--filter "TestCategory!=Long") ;;
  --long) filter=(--filter "TestCategory=Long") ;;
  *[=~\&\|]*) filter=(--filter "$1") ;;
  *) filter=(--filter "FullyQualifiedName~$1") ;;
esac

# The projects of a run share their containers, and without a registry Testcontainers has no clean-up container of its own: the last run
# removes them, and the next one what a killed run has left. Not while another run is under way on this machine: it uses the same.
remove_test_containers() {
  local left
  left=$(docker ps -aq --filter label=orders.tests)
  if [ -z "$left" ] || pgrep -f testhost.dll >/dev/null; then return; fi
  # shellcheck disable=SC2086 # ids, one word each
  docker rm -fv $left >/dev/null
}

export CI=true DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1
stage "Docker engine" ensure_engine
stage "Docker compose" ensure_compose
stage "Images" ensure_images "$broker_image" "$database_image"
stage ".NET SDK" ensure_sdk
stage "Fonts" ensure_fonts
stage "npm" ensure_npm
stage "Chromium" ensure_chromium
stage "Restoring" dotnet restore Orders.sln
stage "Building" dotnet build Orders.sln --no-restore -v:quiet
testcontainers_settings
remove_test_containers
trap remove_test_containers EXIT

log=$work/test.$$.log results=$work/test.$$.results
echo "Testing"
set +e
# One project after the other: side by side they would share two cores and time each other out. A test that hangs ends the run by name.
dotnet test Orders.sln --no-build -m:1 --blame-hang-timeout 5m --blame-hang-dump-type none --results-directory "$results" ${filter[@]+"${filter[@]}"} 2>&1 | tee "$log" |
  grep --line-buffered -v -e '^A total of' -e '^Starting test execution' -e 'VSTest version' -e '^Test run for' -e 'No test matches' -e 'Sequence file will not' -e '^$'
status=${PIPESTATUS[0]}
set -e
# What a run prints that is no result of a test: a clean-up after the last test that failed, a test host that crashed or hung.
besides_results() { grep -v -e '^A total of' -e '^Starting test' -e 'VSTest version' -e '^Test run for' -e 'No test matches' -e 'Sequence file' -e '^Passed!' -e '^  Skipped' -e '^$' "$log" | tail -n 30; }
sum() { sed -n "s/.*$1: *\([0-9][0-9]*\),.*Total:.*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }
passed=$(sum Passed) failed=$(sum Failed) skipped=$(sum Skipped)
if [ $((passed + failed)) -eq 0 ]; then
  echo "Expected at least one test, found none${1:+ that matches '$1'}." >&2
  status=1
elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
  # Such a run counts nothing as failed: not to be taken for a good one.
  failed=1
  echo "  Failed the run itself: dotnet test ended with $status though no test failed. What it printed besides results:"
  besides_results | sed 's/^/    /'
fi
rm -rf "$log" "$results"
skips=''
[ "$skipped" -eq 0 ] || skips=", $skipped skipped"
echo "$passed passed, $failed failed$skips"
exit "$status"
