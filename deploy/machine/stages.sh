# Sourced by the commands: progress lines with their time, and failures that say what was found, what was expected and what to change.
. deploy/machine/spelling.sh
. deploy/machine/causes.sh
. deploy/machine/installation.sh

# Where set-up keeps its downloads and logs, outside the repository and the build context.
work=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/orders

# The command's name, as in ./dev NAME.
this_command=$(basename "$0" .sh)

# Milliseconds since some fixed moment (whole seconds where bash is older than 5).
milliseconds() {
  local now=${EPOCHREALTIME:-$SECONDS.000000}
  echo $((10#${now/[.,]/} / 1000))
}

# seconds MS: 1234 -> 1.2
seconds() { echo "$(($1 / 1000)).$(($1 % 1000 / 100))"; }

# fail LINE...: ends the command. Within a stage the lines are what the stage prints instead of its log.
fail() {
  printf '%s\n' "$@" >&2
  [ -z "${stage_failure:-}" ] || printf '%s\n' "$@" >"$stage_failure"
  exit 1
}

mkdir -p "$work/logs" 2>/dev/null && [ -w "$work" ] && [ -w "$work/logs" ] ||
  fail "User $(id -un) may not write in $work, where ./dev keeps downloads and logs." \
    "Was an earlier command run with sudo? Then: sudo chown -R $(id -un) '$work'. XDG_CACHE_HOME names another folder."

# fail_with_log LINE...: the same within a stage, after the errors in its log.
fail_with_log() { fail "$(errors_of "$stage_log" 4)" "$@"; }

# unknown_argument EXPECTED ARGUMENT [WORD...]: without words, the options that the command's --help names are what may be meant.
unknown_argument() {
  local expected=$1 argument=$2
  shift 2
  # shellcheck disable=SC2046 # options, one word each
  [ $# -gt 0 ] || set -- $(options_of "$0")
  fail "Expected $expected, found '$argument'$(suggest "$argument" "$@") See ./dev $this_command --help."
}

# The options that the help of a script names.
options_of() { sed -n '2,/^[^#]/p' "$1" | grep -o -e '--[a-z][a-z-]*' | sort -u; }

# know_options ARGUMENT...: refuses an option that the help does not name, before anything is built or started.
know_options() {
  local argument known
  known=$(options_of "$0" | xargs)
  for argument in "$@"; do
    [[ $argument != --* || " $known " == *" ${argument%%=*} "* ]] || unknown_argument "options that --help names" "$argument"
  done
}

# What a stage tells about its result beside the time: `note "built 2"` within the stage.
note() { [ -z "${stage_failure:-}" ] || echo "$*" >"$work/note.$$"; }

# at_exit COMMAND: runs when the command ends, however it ends; the last one first.
exit_commands=''
at_exit() {
  exit_commands="$1${exit_commands:+; $exit_commands}"
  # shellcheck disable=SC2064 # as it is now
  trap "$exit_commands" EXIT
}

# stage NAME COMMAND...: runs the command (often a function) with `set -e` in a shell of its own, its output in $stage_log.
# One line per stage. When the stage fails, the run ends with what went wrong in a few lines, and with the path of the whole log.
stage_log=$work/stage.$$.log
stage() {
  local name=$1 started status=0 failure=$work/failure.$$
  shift
  started=$(milliseconds)
  : >"$work/note.$$"
  : >"$failure"
  printf '%-26s ' "$name"
  set +e
  (set -e; export stage_failure=$failure; "$@") >"$stage_log" 2>&1 </dev/null
  status=$?
  set -e
  local took result kept
  took=$(seconds $(($(milliseconds) - started)))
  result=$(cat "$work/note.$$")
  rm -f "$work/note.$$"
  if [ "$status" -ne 0 ]; then
    echo "failed after $took s"
    kept=$work/logs/$this_command-$(printf '%s' "$name" | tr -cs 'A-Za-z0-9' '-' | tr 'A-Z' 'a-z' | sed 's/^-//; s/-$//')-$$.log
    mv "$stage_log" "$kept"
    find "$work/logs" -name '*.log' -mtime +7 -delete
    explain "$kept" "$failure" >&2
    echo "Full log: $kept" >&2
    rm -f "$failure"
    exit "$status"
  fi
  rm -f "$stage_log" "$failure"
  echo "$took s${result:+  ($result)}"
}

# explain LOG FAILURE: what `fail` said; else a cause that is known; else the errors of the log; else its end.
# At most six lines of a log, so that a failed command prints fifteen. ORDERS_LOG_LINES: more of the log, where nobody can open it.
explain() {
  local lines=${ORDERS_LOG_LINES:-5}
  if [ -s "$2" ]; then
    shortened 9 <"$2"
    [ -z "${ORDERS_LOG_LINES:-}" ] || tail -n "$lines" "$1"
    return
  fi
  if known_cause "$1"; then return; fi
  errors_of "$1" "$lines"
}

# errors_of LOG N: its lines that are errors, each once; without any, its end.
errors_of() {
  local errors
  errors=$(grep -a -E '(^|[^A-Za-z])error [A-Z]+[0-9]+: |^(error|Error|ERROR|fatal|E:)[: ]' "$1" | sed 's/^ *//' | awk '!seen[$0]++' || true)
  [ -n "$errors" ] || errors=$(grep -a -v '^[[:space:]]*$' "$1" | tail -n "$2" || true)
  [ -z "$errors" ] || printf '%s\n' "$errors" | shortened "$2"
}

# shortened N: the first N lines, none longer than 300 characters, and how many there were.
shortened() {
  local line count=0
  while IFS= read -r line || [ -n "$line" ]; do
    count=$((count + 1))
    [ "$count" -gt "$1" ] || printf '%s\n' "${line:0:300}"
  done
  [ "$count" -le "$1" ] || echo "... and $((count - $1)) more"
}

# setting NAME DEFAULT: from the environment, else from .env, else the default; the order compose uses too.
setting() {
  local value=${!1:-}
  [ -n "$value" ] || [ ! -r .env ] || value=$(awk -v want="$1" -f deploy/machine/dotenv.awk .env)
  printf '%s\n' "${value:-$2}"
}
