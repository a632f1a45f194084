# Sourced after call.sh: what ./dev drain and undrain have in common.

# living_workers: a line of JSON for each process that has not stopped.
living_workers() { call GET /workers | sed 's/},{"id":/}\n{"id":/g' | grep '"stoppedAt":null' || true; }

# worker_id NAME: the id of the one living process of that id or host.
worker_id() {
  if [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]; then echo "$1"; return; fi
  local workers found
  workers=$(living_workers)
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
  local verb=$1 worker='' reason='' id line
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev $verb --help."; reason=$2; shift 2 ;;
      -*) fail "Expected a worker and --reason, found '$1'. See ./dev $verb --help." ;;
      *) [ -z "$worker" ] || fail "Expected one worker, found '$worker' and '$1'."; worker=$1; shift ;;
    esac
  done
  [ -n "$worker" ] || fail "Expected the host or id of a worker, found nothing. There are:" "$(worker_lines "$(living_workers)")"
  [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
  id=$(worker_id "$worker")
  call POST "/workers/$id/$verb" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}" >/dev/null
  line=$(call GET "/workers/$id")
  case $line in
    *'"drainAskedAt":null'*) echo "$worker takes messages again, within 2 s" ;;
    *'"isDrained":true'*) echo "$worker is drained: it takes nothing more and has nothing left" ;;
    *) echo "$worker takes nothing more, within 2 s; $(number_of running "$line") under way at its last report. The page Workers says when it is drained" ;;
  esac
}
