# Sourced after call.sh: what ./dev keys and ./dev operators have in common.

# end_of TEXT: a moment as the API takes it, from 90d or a time; nothing for nothing.
end_of() {
  case $1 in
    '') ;;
    *d)
      [[ $1 =~ ^[1-9][0-9]{0,3}d$ ]] || fail "Expected days such as 90d after --expires, found '$1'."
      TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%SZ)T' "$((EPOCHSECONDS + ${1%d} * 86400))" ;;
    *)
      [[ $1 =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$ ]] || fail "Expected days such as 90d, or a time such as 2027-01-31T00:00:00Z after --expires, found '$1'."
      printf '%s' "$1" ;;
  esac
}

# terms_of: the members of a body that $expires, $overlap and $reason make.
terms_of() {
  local end
  end=$(end_of "$expires") || return
  [ -z "$overlap" ] || [[ $overlap =~ ^[0-9]{1,3}$ ]] || fail "Expected hours from 0 to 720 after --overlap, found '$overlap'."
  printf '"reason":%s%s%s' "$(json_string "$reason")" "${overlap:+,\"overlapHours\":$overlap}" "${end:+,\"expiresAt\":\"$end\"}"
}

need_reason() { [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."; }

# is_key_id TEXT: ends the command when it cannot be one.
is_key_id() { [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] || fail "Expected a key's id, found '$1'. $2 shows them."; }

# post PATH BODY, put PATH BODY
post() { call POST "$1" -H 'Content-Type: application/json' --data "$2"; }
put() { call PUT "$1" -H 'Content-Type: application/json' --data "$2"; }

# show_made ANSWER: the key of an answer, once. Only the key goes to standard output: KEY=$(./dev keys create …) works.
show_made() {
  echo "Key $(text_of id "$1") of $(text_of owner "$1"). It is shown this once; only its hash is stored:" >&2
  text_of key "$1"
  echo
}

# key_line JSON: a key in a line.
key_line() {
  local now state ends
  now=$(TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T' -1)
  ends=$(text_of expiresAt "$1")
  if [ -n "$(text_of revokedAt "$1")" ]; then state=revoked
  elif [ -n "$ends" ] && [[ ! ${ends:0:19} > $now ]]; then state=expired
  elif [ -n "$ends" ]; then state="valid until ${ends:0:16}Z"
  else state=valid; fi
  case $1 in *'"replacedBy":"'*) state+=', rotated' ;; esac
  printf '%s  %-8s  %s' "$(text_of id "$1")" "$(text_of hint "$1")…" "$state"
}
