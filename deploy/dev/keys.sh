#!/usr/bin/env bash
# list, create, rotate and revoke the keys of API clients.
#
# Usage: ./dev keys list [CLIENT]
#        ./dev keys create CLIENT --scopes orders:read,orders:write [--expires 90d] --reason "why"
#        ./dev keys rotate ID [--overlap HOURS] [--expires 90d] --reason "why"
#        ./dev keys revoke ID --reason "why"
#
#   --scopes     what the key may do: orders:read, orders:write, webhooks:write
#   --expires    days such as 90d, or a time such as 2027-01-31T00:00:00Z; without it the key does not expire
#   --overlap    hours that the old key stays valid at a rotation: 0 to 720, default 24. The new key has its client and scopes
#
# A new key is printed once, alone on standard output; only its hash is stored. The API knows it, and refuses a revoked or expired one, within 5 s.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env, which must be the key of an admin. Exit code 0; 1 when it refuses or does not answer; 4 when the key is not valid any more.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh
. deploy/dev/operator-api/keys.sh

verb=${1:-}
case $verb in
  list | create | rotate | revoke) shift ;;
  *) unknown_argument "list, create, rotate or revoke" "${verb:-nothing}" list create rotate revoke ;;
esac

what='' scopes='' expires='' overlap='' reason=''
while [ $# -gt 0 ]; do
  case $1 in
    --scopes | --expires | --overlap | --reason)
      [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev keys --help."
      printf -v "${1#--}" '%s' "$2"
      shift 2 ;;
    -*) unknown_argument "an option" "$1" ;;
    *) [ -z "$what" ] || fail "Expected one client or id, found '$what' and '$1'."; what=$1; shift ;;
  esac
done

if [ "$verb" = list ]; then
  answer=$(call GET /keys --get --data-urlencode "client=$what")
  case $answer in '[]'*) echo "There is no key."; exit ;; esac
  printf '%s\n' "$answer" | sed 's/},{"id":/}\n{"id":/g' | while IFS= read -r line; do
    printf '%-12s %s  (%s)\n' "$(text_of client "$line")" "$(key_line "$line")" "$(printf '%s' "$line" | sed -n 's/^.*"scopes":\[\([^]]*\)\].*$/\1/p' | tr -d '"')"
  done
  exit
fi

[ -n "$what" ] || fail "Expected a client or the id of a key, found none. See ./dev keys --help."
need_reason
case $verb in
  create)
    [ -n "$scopes" ] || fail "Expected --scopes orders:read,orders:write, found none: what may the key do?"
    [[ $scopes =~ ^[a-z:,]+$ ]] || fail "Expected scopes with commas between them, found '$scopes'."
    terms=$(terms_of)
    made=$(post /keys "{\"client\":$(json_string "$what"),\"scopes\":[\"${scopes//,/\",\"}\"],$terms}")
    show_made "$made" ;;
  rotate)
    is_key_id "$what" "./dev keys list"
    terms=$(terms_of)
    made=$(post "/keys/$what/rotate" "{$terms}")
    show_made "$made"
    echo "The old key stays valid for ${overlap:-24} h. Give the client the new one in that time." >&2 ;;
  revoke)
    is_key_id "$what" "./dev keys list"
    post "/keys/$what/revoke" "{\"reason\":$(json_string "$reason")}" >/dev/null
    echo "Key $what is revoked; the API refuses it within 5 s." ;;
esac
