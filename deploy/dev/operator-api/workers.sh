# Sourced after call.sh: what ./dev drain and undrain have in common.

# living_workers: a line of JSON for each process that has not stopped.
living_workers() {
  local all
  all=$(call GET /workers) || return
  printf '%s' "$all" | sed 's/},{"id":/}\n{"id":/g' | grep '"stoppedAt":null' || true
}

# worker_id NAME: the id of the one living process of that id or host.
worker_id() {
  if [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]; then echo "$1"; return; fi
  local workers found
  workers=$(living_workers) || return
  found=$(printf '%s\n' "$workers" | grep -F "\"host\":$(json_string "$1")," || true)
  case $(printf '%s' "$found" | grep -c '"id"' || true) in
    1) printf '%s' "$found" | sed 's/^[^"]*"id":"\([0-9a-f-]*\)".*/\1/' ;;
    0) fail "Expected the host or id of a worker, found '$1'. There are:" "$(worker_lines "$workers")" ;;
    *) fail "Several processes are called '$1'; name one by its id:" "$(worker_lines "$found")" ;;
  esac
}

# worker_lines LINES: id, host and steps of each.
worker_lines() { printf '%s\n' "$1" | sed -n 's/^.*"id":"\([0-9a-f-]*\)","host":"\([^"]*\)".*"steps":\[\([^]]*\)\].*$/  \1  \2  \3/p' | tr -d '"'; }

# switch_worker VERB WORKER --reason WHY
switch_worker() {
  local verb=$1 worker='' reason='' id answer workers
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev $verb --help."; reason=$2; shift 2 ;;
      -*) unknown_argument "a worker and --reason" "$1" --reason ;;
      *) [ -z "$worker" ] || fail "Expected one worker, found '$worker' and '$1'."; worker=$1; shift ;;
    esac
  done
  if [ -z "$worker" ]; then
    workers=$(living_workers)
    fail "Expected the host or id of a worker, found nothing. There are:" "$(worker_lines "$workers")"
  fi
  [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
  id=$(worker_id "$worker")
  # The API waits until the process has read it, for at most 5 s, and says whether it has.
  answer=$(call POST "/workers/$id/$verb" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}")
  text_of summary "$answer"
  echo
}
