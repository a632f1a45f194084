#!/usr/bin/env bash
# verify the record of what operators did, against anchors kept outside the database; or export it, signed.
#
# Usage: ./dev audit verify [--anchor FILE_OR_VALUE]
#        ./dev audit export [--to FILE]
#
#   --anchor   NUMBER:HASH of an earlier moment, or a file with such anchors: lines of the dashboard's log (event 1110), or an export.
#              An export is compared with its own signature first. The newest 10,000 anchors of a file are compared.
#   --to       the file of the export (default: audit-TIME.jsonl). Keep it where nobody can reach it who may write to the database.
#
# Without an anchor, verify finds changed rows and gaps, but not that the newest rows were deleted.
# verify ends with exit code 1 when the record is not intact, and names the rows that are missing or were replaced.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

mode=${1:-}
[ $# -eq 0 ] || shift
anchor='' file=''
while [ $# -gt 0 ]; do
  case $mode$1 in
    verify--anchor) [ $# -gt 1 ] || fail "Expected a file or NUMBER:HASH after --anchor, found nothing."; anchor=$2 ;;
    export--to) [ $# -gt 1 ] || fail "Expected a file after --to, found nothing."; file=$2 ;;
    *) unknown_argument "an option of '$mode'" "$1" ;;
  esac
  shift 2
done

# anchors_in: the anchors of standard input in the order of their numbers, as a JSON list. Only from where the product writes them:
# reasons and names in the same lines are texts that anybody wrote.
anchors_in() {
  local anchor='([0-9]+:[0-9a-f]{64})'
  sed -nE "s/^\{\"anchor\":\"$anchor\".*/\1/p; s/^.*Audit record anchored, [^:]*: $anchor *\$/\1/p; s/^ *$anchor *\$/\1/p" |
    sort -t: -k1,1n -u | tail -n 10000 | sed 's/.*/"&"/' | paste -sd, -
}

# The last line of an export, when the file is one.
seal_of() { [ ! -f "$1" ] || tail -n 1 "$1" | grep '^{"head":.*"signature":"[0-9a-f]*"}$' || true; }

verify() {
  local anchors='' seal='' sum answer bad=0
  if [ -n "$anchor" ]; then
    if [ -f "$anchor" ]; then anchors=$(anchors_in <"$anchor" || true); else anchors=$(anchors_in <<<"$anchor" || true); fi
    [ -n "$anchors" ] || fail "Expected NUMBER:HASH or a file with such anchors after --anchor, found none in '$anchor'."
    seal=$(seal_of "$anchor")
  fi
  if [ -n "$seal" ]; then
    sum=$(head -n -1 "$anchor" | sha256sum | cut -d' ' -f1)
    if [ "$sum" != "$(text_of sha256 "$seal")" ]; then
      echo "The export was changed: the sum over its lines is not the one in its last line. Its anchors prove nothing."
      return 1
    fi
  fi
  answer=$(printf '{"anchors":[%s],"seal":%s}' "$anchors" "${seal:-null}" | call POST /audit/verification -H 'Content-Type: application/json' --data @-)
  if [ "$(text_of signature "$answer")" = wrong ]; then
    echo "The export is not signed by the key of this installation, nor by the one before. Its anchors prove nothing."
    bad=1
  fi
  row() { number_of "$1" "$answer"; }
  if [ -n "$(row firstBroken)" ]; then
    echo "Row $(row firstBroken) was changed, or a row before it is missing."
    bad=1
  fi
  if [ -n "$(row missingFrom)" ]; then
    echo "Rows $(row missingFrom)–$(row missingTo) are missing: they were deleted."
    bad=1
  fi
  if [ -n "$(row replacedTo)" ]; then
    echo "Rows from $(row replacedFrom)–$(row replacedTo) on were replaced: others have their numbers."
    bad=1
  fi
  echo "$(row records) rows, head $(text_of head "$answer"), $(row anchors) anchors compared"
  [ "$bad" = 0 ] || return 1
  [ -n "$anchors" ] || echo "Intact in itself. Only an anchor shows whether the newest rows were deleted: --anchor."
  [ -z "$anchors" ] || echo "Intact."
}

export_record() {
  local status
  file=${file:-audit-$(date -u +%Y%m%dT%H%M%SZ).jsonl}
  [ ! -e "$file" ] || fail "Expected a file that does not exist, found $file. Choose another one with --to."
  need_operator_api
  at_exit "rm -f '$file.part'"
  status=$(curl -sS --max-time 600 "$operator_api/audit/export" -H "Authorization: Bearer $operator_key" -o "$file.part" -w '%{http_code}') ||
    fail "The operator API at $operator_api does not answer, or the answer broke off. Is it up? ./dev up starts it."
  [ "$status" = 200 ] || fail "Refused ($status): $(text_of detail "$(cat "$file.part")")"
  # Written last: without it the answer broke off.
  [ -n "$(seal_of "$file.part")" ] || fail "Expected a signed last line in the export, found none. Repeat it."
  mv "$file.part" "$file"
  echo "$file: $(number_of records "$(tail -n 1 "$file")") rows, head $(text_of head "$(tail -n 1 "$file")")"
}

case $mode in
  verify) verify ;;
  export) export_record ;;
  *) unknown_argument "verify or export" "$mode" verify export ;;
esac
