# Sourced after call.sh: what ./dev pause, resume and limit have in common.

# is_step TEXT: ends the command when it cannot be the name of one; whether there is one, the API knows.
is_step() { [[ $1 =~ ^[a-z][a-z0-9-]*$ ]] || fail "Expected a step, such as email; found '$1'."; }

# show_step STEP: how it is controlled now, in a line.
show_step() {
  local line paused='runs' limits=''
  line=$(call GET /steps | sed 's/},{"/}\n{"/g' | grep "\"step\":\"$1\"")
  case $line in *'"paused":true'*) paused='is paused' ;; esac
  [ -z "$(number_of replicaLimit "$line")" ] || limits+=", $(number_of replicaLimit "$line") at a time in a replica"
  [ -z "$(number_of totalLimit "$line")" ] || limits+=", $(number_of totalLimit "$line") at a time over all replicas"
  case $line in *'"rates":""'*) limits+=', no rate' ;; *'"rates":"'*) limits+=", $(text_of rates "$line")" ;; esac
  echo "$1 $paused${limits:-, limits as its policy says} (in force in all replicas within 2 s, and after every restart)"
}

# switch_step VERB STEP --reason WHY: for the two commands that take nothing else.
switch_step() {
  local verb=$1 step='' reason=''
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev $verb --help."; reason=$2; shift 2 ;;
      -*) fail "Expected a step and --reason, found '$1'. See ./dev $verb --help." ;;
      *) [ -z "$step" ] || fail "Expected one step, found '$step' and '$1'."; step=$1; shift ;;
    esac
  done
  is_step "$step"
  [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
  call POST "/steps/$step/$verb" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}" >/dev/null
  show_step "$step"
}
