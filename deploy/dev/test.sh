#!/usr/bin/env bash
# set up this machine and run the tests; ends with "N passed, N failed".
#
# Usage: ./dev test [--no-build] [FILTER | --long]
#
#   FILTER       a word: only tests whose full name contains it; or an expression for `dotnet test --filter`
#   --long       only the tests of category Long, which a run without a filter leaves out. ./dev verify runs them too, part by part.
#   --no-build   test what ./dev build has built
#
# Prints the ten slowest tests and fixtures at the end, and from when to when each project ran. Three test projects run at a time (ORDERS_TEST_LANES changes that), with --long one.
# ORDERS_TEST_KEEP=yes leaves the database and the broker of the tests running for the next run.
# Needs the .NET SDK, a C compiler, nginx, kubectl, Prometheus and a Docker engine; see ./dev up --help for what set-up brings.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/sdk.sh
. deploy/machine/fonts.sh
. deploy/machine/browser.sh
. deploy/machine/compiler.sh
. deploy/machine/nginx.sh
. deploy/machine/kubectl.sh
. deploy/machine/prometheus.sh
. deploy/machine/build.sh
. deploy/machine/test-run.sh

build=yes
if [ "${1:-}" = --no-build ]; then
  build=no
  shift
fi
lanes=${ORDERS_TEST_LANES:-3}
[ $# -le 1 ] || unknown_argument "one filter" "$2"
case ${1:-} in
  '') filter="TestCategory!=Long" ;;
  --long) filter="TestCategory=Long" lanes=1 ;;
  *[=~\&\|]*) filter=$1 ;;
  -*) unknown_argument "a filter or an option" "$1" ;;
  *) filter="FullyQualifiedName~$1" ;;
esac

# The projects of a run share their containers, and without a registry Testcontainers has no clean-up container of its own: the last run
# removes them, and the next one what a killed run has left. Not while another run is under way on this machine: it uses the same.
remove_test_containers() {
  local left
  [ -z "${ORDERS_TEST_KEEP:-}" ] || return 0
  left=$(docker ps -aq --filter label=orders.tests)
  if [ -z "$left" ] || pgrep -f testhost.dll >/dev/null; then return; fi
  # shellcheck disable=SC2086 # ids, one word each
  docker rm -fv $left >/dev/null
}

stage "Docker engine" ensure_engine
stage "Docker compose" ensure_compose
stage "Images" ensure_images "$broker_image" "$database_image"
stage "Fonts" ensure_fonts
stage "Chromium" ensure_chromium
stage "C compiler" ensure_compiler
stage "nginx" ensure_nginx
stage "kubectl" ensure_kubectl
stage "Prometheus" ensure_prometheus
[ "$build" = no ] || build_solution
testcontainers_settings
NGINX=$(nginx_path) KUBECTL=$(kubectl_path) PROMETHEUS=$(prometheus_path) PROMTOOL=$(promtool_path)
export NGINX KUBECTL PROMETHEUS PROMTOOL
remove_test_containers
results=$work/test.$$
mkdir -p "$results"
trap 'remove_test_containers; rm -rf "$results"' EXIT

echo "Testing, $lanes projects at a time"
started=$(milliseconds)
run_test_projects "$results" "$lanes" "$filter"
took=$(seconds $(($(milliseconds) - started)))

passed=$(count_tests "$results" Passed) failed=$(count_tests "$results" Failed) skipped=$(count_tests "$results" Skipped) status=0
[ "$failed" -eq 0 ] || status=1
if [ $((passed + failed)) -eq 0 ]; then
  echo "Expected at least one test, found none${1:+ that matches '$1'}." >&2
  status=1
fi
for log in $(broken_runs "$results"); do
  # Such a run counts nothing as failed: not to be taken for a good one.
  failed=$((failed + 1)) status=1
  echo "  Failed $(basename "$log" .log) itself: dotnet test ended with an error though no test failed. What it printed besides results:"
  besides_results "$log" | sed 's/^/    /'
done
slowest_tests "$results" 10
slowest_fixtures "$results" 10
lanes "$results"
skips=''
[ "$skipped" -eq 0 ] || skips=", $skipped skipped"
echo "Tested in $took s"
echo "$passed passed, $failed failed$skips"
exit "$status"
