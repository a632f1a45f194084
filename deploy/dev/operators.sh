#!/usr/bin/env bash
# list, create, disable and enable operators; their roles, passwords and keys.
#
# Usage: ./dev operators list
#        ./dev operators create NAME --role viewer|operator|admin [--no-password] --reason "why"
#        ./dev operators disable | enable NAME --reason "why"
#        ./dev operators role NAME viewer|operator|admin --reason "why"
#        ./dev operators password NAME --reason "why"
#        ./dev operators create-key NAME [--expires 90d] --reason "why"
#        ./dev operators rotate-key ID [--overlap HOURS] [--expires 90d] --reason "why"
#        ./dev operators revoke-key ID --reason "why"
#
#   create, password   make a password up and print it once; the operator changes it on the page "Your password"
#   --no-password      an operator that has keys only, such as a script
#   --expires          days such as 90d, or a time such as 2027-01-31T00:00:00Z; without it the key does not expire
#   --overlap          hours that the old key stays valid at a rotation: 0 to 720, default 24
#
# A new role, a new password and disabling end the operator's sessions at once. The last admin cannot be locked out.
# The first admin is made by the deployment, from ORDERS_ADMIN_PASSWORD and ORDERS_OPERATOR_KEY.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env, which must be the key of an admin. Exit code 0; 1 when it refuses or does not answer; 4 when the state does not allow it.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/keys.sh

verbs=(list create disable enable role password create-key rotate-key revoke-key)
verb=${1:-}
[[ " ${verbs[*]} " == *" ${verb:-none} "* ]] || unknown_argument "a verb such as list or create" "${verb:-nothing}" "${verbs[@]}"
shift

what='' role='' expires='' overlap='' reason='' with_password=true
while [ $# -gt 0 ]; do
  case $1 in
    --no-password) with_password=false; shift ;;
    --role | --expires | --overlap | --reason)
      [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev operators --help."
      printf -v "${1#--}" '%s' "$2"
      shift 2 ;;
    -*) unknown_argument "an option" "$1" ;;
    *)
      if [ -z "$what" ]; then what=$1
      elif [ "$verb" = role ] && [ -z "$role" ]; then role=$1
      else fail "Expected one operator or id, found '$what' and '$1'."; fi
      shift ;;
  esac
done

if [ "$verb" = list ]; then
  call GET /operators | sed 's/{"name":/\n{"name":/g; s/{"id":/\n{"id":/g' | while IFS= read -r line; do
    case $line in
      '{"name":'*)
        state=enabled
        [ -z "$(text_of disabledAt "$line")" ] || state=disabled
        case $line in *'"external":true'*) state+=', by the identity provider' ;; *'"hasPassword":true'*) state+=', password' ;; esac
        printf '%-16s %-9s %s, sessions: %s\n' "$(text_of name "$line")" "$(text_of role "$line")" "$state" "$(number_of sessions "$line")" ;;
      '{"id":'*) printf '  key %s\n' "$(key_line "$line")" ;;
    esac
  done
  exit
fi

is_role() {
  case $1 in
    viewer | operator | admin) ;;
    '') fail "Expected a role: viewer, operator or admin; found none." ;;
    *) fail "Expected a role: viewer, operator or admin; found '$1'$(suggest "$1" viewer operator admin)" ;;
  esac
}

show_password() {
  [ -n "$(text_of password "$1")" ] || return 0
  echo "The password of $what. It is shown this once; only its hash is stored:" >&2
  text_of password "$1"
  echo
}

[ -n "$what" ] || fail "Expected an operator or the id of a key, found none. See ./dev operators --help."
case $verb in
  *-key) ;;
  *) [[ $what =~ ^[a-z0-9][a-z0-9._@-]*$ ]] || fail "Expected an operator's name out of a–z, 0–9, '.', '_', '-' and '@', found '$what'." ;;
esac
case $verb in create | role) is_role "$role" ;; esac
case $verb in rotate-key | revoke-key) is_key_id "$what" "./dev operators list" ;; esac
need_reason
why="\"reason\":$(json_string "$reason")"
case $verb in
  create)
    made=$(post /operators "{\"name\":\"$what\",\"role\":\"$role\",\"withPassword\":$with_password,$why}")
    echo "Operator $what is created, role $role." >&2
    show_password "$made" ;;
  disable | enable)
    post "/operators/$what/$verb" "{$why}" >/dev/null
    echo "Operator $what is ${verb}d." ;;
  role)
    put "/operators/$what/role" "{\"role\":\"$role\",$why}" >/dev/null
    echo "Operator $what has the role $role. Open sessions have ended." ;;
  password)
    made=$(put "/operators/$what/password" "{$why}")
    echo "Open sessions of $what have ended." >&2
    show_password "$made" ;;
  create-key)
    terms=$(terms_of)
    made=$(post "/operators/$what/keys" "{$terms}")
    show_made "$made" ;;
  rotate-key)
    terms=$(terms_of)
    made=$(post "/operators/keys/$what/rotate" "{$terms}")
    show_made "$made"
    echo "The old key stays valid for ${overlap:-24} h." >&2 ;;
  revoke-key)
    post "/operators/keys/$what/revoke" "{$why}" >/dev/null
    echo "Key $what is revoked." ;;
esac
