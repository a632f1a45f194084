# Sourced: runs the test projects, some side by side, and reads their results.

# The projects that take longest first: what begins last should be short. ORDERS_TEST_PROJECT: this one alone.
test_projects() {
  local project first=(Infrastructure Dashboard Producer.Api Workers)
  if [ -n "${ORDERS_TEST_PROJECT:-}" ]; then
    echo "tests/$ORDERS_TEST_PROJECT.Tests"
    return
  fi
  for project in "${first[@]}"; do echo "tests/$project.Tests"; done
  for project in tests/*.Tests; do
    [[ " ${first[*]} " == *" $(basename "$project" .Tests) "* ]] || echo "$project"
  done
}

# run_test_project FOLDER RESULTS FILTER: one project; its output appears as a whole when it ends, so that two do not mix.
# A test that hangs for five minutes ends its run by name. ORDERS_TEST_FIXTURES: how many fixtures run at a time, in place of what the project
# says.
run_test_project() {
  local project=$1 results=$2 filter=$3 name log began status=0
  name=$(basename "$project")
  log=$results/$name.log
  began=$(date +%s)
  # A process that lives for minutes never earns what the just-in-time compiler spends on it. A method is compiled again after 1,024 calls
  # (0x400) instead of 30: 126 tests of the dashboard took 44.9 s of processor time instead of 49.4.
  export DOTNET_TieredPGO=0 DOTNET_TC_CallCountThreshold=400
  # A test host that starts beside others may take longer than the 90 s that it is given.
  export VSTEST_CONNECTION_TIMEOUT=${VSTEST_CONNECTION_TIMEOUT:-300}
  dotnet test "$(test_assembly "$project")" --blame-hang-timeout 5m --blame-hang-dump-type none --filter "$filter" \
    --results-directory "$results/$name" --logger "trx;LogFileName=results.trx" --logger "console;verbosity=minimal" \
    ${ORDERS_TEST_FIXTURES:+-- "NUnit.NumberOfTestWorkers=$ORDERS_TEST_FIXTURES"} >"$log" 2>&1 </dev/null || status=$?
  echo "$status" >"$results/$name.status"
  echo "$began $(date +%s) $name" >"$results/$name.took"
  (
    flock 9
    grep -v -e '^A total of' -e '^Starting test execution' -e 'VSTest version' -e '^Test run for' -e 'No test matches' -e 'Sequence file will not' -e '^Results File' -e '^$' "$log" || true
  ) 9>"$results/printing"
}

# The assembly's name ends in the folder's name.
test_assembly() { find "$1/bin/Debug" -maxdepth 2 -name "Orders.*$(basename "$1").dll" -print -quit; }

# run_test_projects RESULTS LANES FILTER
run_test_projects() {
  local results=$1 lanes=$2 filter=$3 project
  export -f run_test_project test_assembly
  test_projects | xargs -P "$lanes" -I{} bash -c 'run_test_project "$@"' - {} "$results" "$filter"
}

# count_tests RESULTS Passed|Failed|Skipped
count_tests() { sed -n "s/.*$2: *\([0-9][0-9]*\),.*Total:.*/\1/p" "$1"/*.log | awk '{ n += $1 } END { print n + 0 }'; }

# The logs of projects that ended with an error and count no failed test: a clean-up after the last test that failed, a test host that crashed or hung.
broken_runs() {
  local file log
  for file in "$1"/*.status; do
    log=${file%.status}.log
    [ "$(cat "$file")" -eq 0 ] || grep -q '^  Failed ' "$log" || echo "$log"
  done
}

besides_results() {
  grep -v -e '^A total of' -e '^Starting test' -e 'VSTest version' -e '^Test run for' -e 'No test matches' -e 'Sequence file' -e '^Results File' -e '^Passed!' -e '^  Skipped' -e '^$' "$1" | tail -n 30
}

# lanes RESULTS: when each project began and ended, in seconds since the first, so that a lane that idles shows.
lanes() {
  echo "The projects, from when to when:"
  cat "$1"/*.took | sort -n | awk '
    NR == 1 { first = $1 }
    { printf "%6d s  %6d s  %s\n", $1 - first, $2 - first, $3 }'
}

# slowest_fixtures RESULTS N: the sum of the tests of a fixture. Its own set-up is not in it.
slowest_fixtures() {
  local results=$1 count=$2
  echo "The $count slowest fixtures:"
  slowest_tests "$results" 100000 | awk '
    NR > 1 {
      # A fixture with arguments is Name(1,2).Test, a test with arguments Name.Test(1,2).
      name = substr($0, index($0, " s  ") + 4)
      of_fixture = name ~ /^[^(]*\([^"]*\)\.[^.]*$/
      sub(/\(.*/, "", name)
      if (!of_fixture) sub(/\.[^.]*$/, "", name)
      took[name] += $1
      tests[name]++
    }
    END { for (name in took) printf "%8.1f s  %s (%d)\n", took[name], name, tests[name] }
  ' | sort -rn | awk -v count="$count" 'NR <= count'
}

# slowest_tests RESULTS N, from the result files: class and test by the test's id.
# No head: it would end before sort has written everything, and sort by a signal, which ends the script (pipefail).
slowest_tests() {
  local results=$1 count=$2 files
  files=$(find "$results" -name '*.trx')
  [ -n "$files" ] || return 0
  echo "The $count slowest tests:"
  # shellcheck disable=SC2086 # names without spaces
  awk '
    function value(name,   at) { at = index($0, " " name "=\""); if (!at) return ""; at += length(name) + 3; return substr($0, at, index(substr($0, at), "\"") - 1) }
    /<UnitTestResult / { n++; id[n] = value("testId"); name[n] = value("testName"); split(value("duration"), t, ":"); took[n] = t[1] * 3600 + t[2] * 60 + t[3] }
    /<UnitTest / { test = value("id") }
    /<TestMethod / { class = value("className"); sub(/^Orders\./, "", class); of[test] = class }
    END { for (i = 1; i <= n; i++) printf "%8.1f s  %s.%s\n", took[i], of[id[i]], name[i] }
  ' $files | sort -rn | awk -v count="$count" 'NR <= count' | sed 's/&quot;/"/g; s/&amp;/\&/g; s/&lt;/</g; s/&gt;/>/g'
}
