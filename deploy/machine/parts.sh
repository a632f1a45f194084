# Sourced by .ci/run and ./dev verify: runs named parts, each with its time and its count, and says at the end what failed and what did not run.

parts_status=0 parts_passed=0 parts_failed=0 parts_skipped=0 parts_folder=''

begin_parts() {
  parts_folder=$work/parts.$$
  mkdir -p "$parts_folder"
  : >"$parts_folder/summary"
  : >"$parts_folder/failed"
  parts_began=$(milliseconds)
}

# one_line NAME RESULT MS COUNT
one_line() { printf '  %-22s %-12s %7s s  %s\n' "$1" "$2" "$(seconds "$3")" "$4" >>"$parts_folder/summary"; }

# begin_part NAME
begin_part() {
  part_name=$1 part_began=$(milliseconds)
  echo
  echo "== $part_name"
}

# tests_part NAME FILTER...: ./dev test, whose closing line is added to the counts. A part in which no test ran has failed.
tests_part() {
  local name=$1 closing result=passed status=0 passed=0 failed=0 skipped=0
  shift
  begin_part "$name"
  ./dev test "$@" 2>&1 </dev/null | tee "$parts_folder/part" || status=1
  closing=$(tail -n 1 "$parts_folder/part")
  if [[ $closing =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
  fi
  if [ "$((passed + failed))" -eq 0 ]; then
    # The set-up failed, or the filter matches nothing any more.
    result="did not run" failed=1 status=1
    { echo "  Failed $name: no test ran"; tail -n 20 "$parts_folder/part" | sed 's/^/  /'; } >>"$parts_folder/failed"
  elif [ "$status" -ne 0 ]; then
    result=failed
    # Each failed test with the first lines of its message: said again at the end, where it is looked for.
    awk '/^  Failed / { left = 32 } /^$/ { left = 0 } left-- > 0' "$parts_folder/part" >>"$parts_folder/failed"
  fi
  parts_passed=$((parts_passed + passed)) parts_failed=$((parts_failed + failed)) parts_skipped=$((parts_skipped + skipped))
  [ "$status" -eq 0 ] || parts_status=1
  one_line "$name" "$result" $(($(milliseconds) - part_began)) "$passed passed, $failed failed, $skipped skipped"
  return 0
}

# command_part NAME COMMAND...: counts as one. Its last lines are said again at the end when it fails. Sets part_failed (0 or 1).
command_part() {
  local name=$1 result=passed count="1 passed, 0 failed" status=0
  shift
  begin_part "$name"
  "$@" 2>&1 </dev/null | tee "$parts_folder/part" || status=1
  if [ "$status" -eq 0 ]; then
    parts_passed=$((parts_passed + 1))
  else
    result=failed count="0 passed, 1 failed" parts_failed=$((parts_failed + 1)) parts_status=1
    { echo "  Failed $name"; tail -n 60 "$parts_folder/part" | sed 's/^/  /'; } >>"$parts_folder/failed"
  fi
  one_line "$name" "$result" $(($(milliseconds) - part_began)) "$count"
  part_failed=$status
}

# left_out NAME: nobody asked for it; the summary says so.
left_out() { one_line "$1" "did not run" 0 "not asked for"; }

# cannot_run NAME WHY: counts as failed.
cannot_run() {
  parts_failed=$((parts_failed + 1)) parts_status=1
  echo "  Failed $1: did not run, because $2" >>"$parts_folder/failed"
  one_line "$1" "did not run" 0 "$2"
}

end_parts() {
  echo
  [ ! -s "$parts_folder/failed" ] || { echo "What failed:"; cat "$parts_folder/failed"; echo; }
  echo "Parts, $(seconds $(($(milliseconds) - parts_began))) s in all:"
  cat "$parts_folder/summary"
  rm -rf "$parts_folder"
  echo
  echo "$parts_passed passed, $parts_failed failed, $parts_skipped skipped"
  exit "$parts_status"
}
