# Sourced: calls to the operator API, and its JSON as plain text without any tool but sed.

operator_key=$(setting ORDERS_OPERATOR_KEY '')
operator_host=$(setting BIND_ADDRESS 127.0.0.1)
[ "$operator_host" != 0.0.0.0 ] || operator_host=127.0.0.1
trust_installation
operator_api=$(scheme)://$operator_host:$(setting DASHBOARD_PORT 8081)/api

# Asked once the arguments are known to be right.
need_operator_api() {
  command -v curl >/dev/null || fail "Expected curl, found none. Install it (on Debian: apt-get install curl)."
  [ -n "$operator_key" ] || fail "Expected ORDERS_OPERATOR_KEY in .env or in the environment, found none." "Run ./dev up: it makes the key and starts the operator API."
}

# call METHOD PATH [curl options]: prints the body; a refusal goes to standard error, and the exit code is 1 (4 for a conflict).
call() {
  local method=$1 path=$2 answer status
  shift 2
  need_operator_api
  answer=$(curl -sS --max-time 60 -X "$method" "$operator_api$path" -H "Authorization: Bearer $operator_key" -w '\n%{http_code}' "$@") || fail "The operator API at $operator_api does not answer. Is it up? ./dev up starts it, ./dev logs dashboard says what it does."
  status=${answer##*$'\n'} answer=${answer%$'\n'*}
  case $status in
    2??) printf '%s\n' "$answer" ;;
    409) echo "Refused: $(text_of detail "$answer")" >&2; return 4 ;;
    *) echo "Refused ($status): $(text_of detail "$answer")" >&2; return 1 ;;
  esac
}

# text_of NAME JSON: the last member of that name, a string without its quotes. What would steer the terminal is left out: faults quote what anybody sent.
text_of() { plain "$(printf '%s' "$2" | sed -n "s/^.*\"$1\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*$/\1/p" | head -1)"; }

# texts_of NAME JSON: a line for each string of a list, which is the last member.
texts_of() {
  local text
  printf '%s' "$2" | sed -n "s/^.*\"$1\":\[\"\(.*\)\"\].*$/\1/p" | sed 's/","/\n/g' | while IFS= read -r text || [ -n "$text" ]; do plain "$text"; echo; done
}

# plain TEXT: what stands between the quotes of a string of JSON, without its escapes. Left out are control characters, U+0080–U+009F among them, line and paragraph separators, and marks of direction (the list of LogText).
plain() {
  local text=$1
  # An escaped backslash is set aside, as a control character that JSON has only escaped: what stands behind it begins no escape.
  text=${text//\\\\/$'\001'} text=${text//\\u0001/}
  text=${text//\\[nrt]/ } text=${text//\\[bf]/} text=${text//\\\"/\"}
  LC_ALL=C.UTF-8 printf '%b' "$text" | LC_ALL=C tr -d '\000\002-\037\177' | LC_ALL=C sed $'s/\xc2[\x80-\x9f]//g; s/\xd8\x9c//g; s/\xe2\x80[\x8e\x8f\xa8-\xae]//g; s/\xe2\x81[\xa6-\xa9]//g; s/\x01/\\\\/g'
}
number_of() { printf '%s' "$2" | grep -o "\"$1\":[0-9.]*" | head -1 | cut -d: -f2; }

# json_string TEXT: as a JSON string.
json_string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr -d '\000-\037')"; }
