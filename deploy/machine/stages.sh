# Sourced by the commands: progress lines with their time, and failures that say what to do.

# Where set-up keeps its downloads and logs, outside the repository and the build context.
work=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/orders
mkdir -p "$work"

# Milliseconds since some fixed moment (whole seconds where bash is older than 5).
milliseconds() {
  local now=${EPOCHREALTIME:-$SECONDS.000000}
  echo $((10#${now/[.,]/} / 1000))
}

# seconds MS: 1234 -> 1.2
seconds() { echo "$(($1 / 1000)).$(($1 % 1000 / 100))"; }

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# What a stage tells about its result beside the time: `note "built 2"` within the stage.
note() { echo "$*" >"$work/note.$$"; }

# stage NAME COMMAND...: runs the command (often a function) with `set -e` in a shell of its own, its output in a log.
# One line per stage; the output is shown only if the stage fails, and then the whole run ends.
stage() {
  local name=$1 log=$work/stage.$$.log started status=0
  shift
  started=$(milliseconds)
  : >"$work/note.$$"
  printf '%-26s ' "$name"
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  local took result
  took=$(seconds $(($(milliseconds) - started)))
  result=$(cat "$work/note.$$")
  rm -f "$work/note.$$"
  if [ "$status" -ne 0 ]; then
    echo "failed after $took s"
    tail -n 60 "$log" >&2
    rm -f "$log"
    exit "$status"
  fi
  rm -f "$log"
  echo "$took s${result:+  ($result)}"
}

# setting NAME DEFAULT: from the environment, else from .env, else the default; the order compose uses too.
setting() {
  local value=${!1:-}
  [ -n "$value" ] || [ ! -f .env ] || value=$(sed -n "s/^$1=//p" .env | tail -1)
  echo "${value:-$2}"
}
