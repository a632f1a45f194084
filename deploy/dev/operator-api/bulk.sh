# Sourced: bulk actions of the operator API, for the commands that act on many.

# bulk_counts ACTION: a line with its state and counts.
bulk_counts() { echo "$(text_of state "$1"): $(number_of done "$1") done, $(number_of left "$1") left, $(number_of skipped "$1") skipped, $(number_of refused "$1") refused"; }

# bulk_refusals ID: the first targets that were refused or skipped, and why.
bulk_refusals() {
  local state line
  for state in Refused Skipped; do
    call GET "/bulk-actions/$1/items?state=$state&limit=10" | sed 's/},{"/}\n{"/g' | grep '"note"' | while IFS= read -r line; do
      echo "  $state $(text_of id "$line"): $(text_of note "$line")"
    done || true
  done
}

# bulk_follow ID: prints its counts whenever they change, until it has ended or is paused. Exit code 1 when some were refused, or it did not come to its end.
bulk_follow() {
  local now line last=''
  while true; do
    now=$(call GET "/bulk-actions/$1")
    line=$(bulk_counts "$now")
    [ "$line" = "$last" ] || echo "  $line"
    last=$line
    case $(text_of state "$now") in
      Running) sleep 1 ;;
      Finished) bulk_refusals "$1"; [ "$(number_of refused "$now")" = 0 ]; return ;;
      *) bulk_refusals "$1"; return 1 ;;
    esac
  done
}

# bulk_change VERB ID REASON: pause, resume or end.
bulk_change() { bulk_counts "$(call POST "/bulk-actions/$2/$1" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$3")}")"; }

# bulk KIND STEP FILTER RATE MODE REASON VERB: rehearses; with the mode --yes confirms with the rehearsal's number and follows it. VERB says what would be done to how many.
bulk() {
  local kind=$1 step=$2 filter=$3 rate=$4 mode=$5 reason=$6 verb=$7 made id total line
  made=$(call POST /bulk-actions -H 'Content-Type: application/json' \
    --data "{\"kind\":\"$kind\"${step:+,\"step\":$(json_string "$step")},\"filter\":{$filter}${rate:+,\"perSecond\":$rate}}")
  id=$(text_of id "$made") total=$(number_of total "$made")
  echo "$(number_of matched "$made") match; $verb $total"
  printf '%s' "$made" | grep -o '{"reason":"[^{}]*"count":[0-9]*}' | while IFS= read -r line; do
    echo "  not touched: $(number_of count "$line") $(text_of reason "$line")"
  done || true
  texts_of outside "$(printf '%s' "$made" | sed 's/\("outside":\[[^]]*\]\).*/\1}/')" | sed 's/^/  /'
  [ "$mode" = --yes ] || { echo "Nothing was changed."; return 0; }
  [ "$total" -gt 0 ] || { echo "Nothing to do."; return 0; }
  call POST "/bulk-actions/$id/confirm" -H 'Content-Type: application/json' --data "{\"expect\":$total,\"reason\":$(json_string "$reason")}" >/dev/null
  echo "Bulk action $id"
  bulk_follow "$id"
}

# order_filter OPTION VALUE: a member of a filter of orders.
order_filter() {
  case $1 in
    --premium)
      case $2 in yes) echo '"premium":true' ;; no) echo '"premium":false' ;; *) fail "Expected yes or no after --premium, found '$2'." ;; esac ;;
    *) echo "\"${1#--}\":$(json_string "$2")" ;;
  esac
}
