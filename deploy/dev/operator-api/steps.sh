# Sourced after call.sh: what ./dev pause, resume and limit have in common.

# is_step TEXT: ends the command when it cannot be the name of one; whether there is one, the API knows.
is_step() {
  # shellcheck disable=SC2046 # one word each
  [[ $1 =~ ^[a-z][a-z0-9-]*$ ]] || fail "Expected a step, found '$1'$(suggest "$1" $(step_services)) Steps: $(step_services | xargs | sed 's/ /, /g')."
}

# show_limits STEP: what has been set for it, in a line.
show_limits() {
  local line limits=''
  line=$(call GET /steps | sed 's/},{"/}\n{"/g' | grep "\"step\":\"$1\"")
  [ -z "$(number_of replicaLimit "$line")" ] || limits+=", $(number_of replicaLimit "$line") at a time in a replica"
  [ -z "$(number_of totalLimit "$line")" ] || limits+=", $(number_of totalLimit "$line") at a time over all replicas"
  case $line in *'"rates":""'*) limits+=', no rate' ;; *'"rates":"'*) limits+=", $(text_of rates "$line")" ;; esac
  limits=${limits#, }
  echo "Limits of $1: ${limits:-$(number_of defaultReplicaLimit "$line") at a time in a replica, by default}."
}

# switch_step VERB STEP --reason WHY: for the two commands that take nothing else.
switch_step() {
  local verb=$1 step='' reason='' answer
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --reason) [ $# -gt 1 ] || fail "Expected a text after --reason, found nothing. See ./dev $verb --help."; reason=$2; shift 2 ;;
      -*) unknown_argument "a step and --reason" "$1" --reason ;;
      *) [ -z "$step" ] || fail "Expected one step, found '$step' and '$1'."; step=$1; shift ;;
    esac
  done
  is_step "$step"
  [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."
  # The API waits until the workers have read it, for at most 5 s, and says how many have.
  answer=$(call POST "/steps/$step/$verb" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}")
  text_of summary "$answer"
  echo
}
