#!/usr/bin/env bash
# list schedules; create, change and delete those that are changeable.
#
# Usage: ./dev schedules list
#        ./dev schedules kinds
#        ./dev schedules preview --cron TEXT [--zone ZONE] [--kind KIND]
#        ./dev schedules create KIND NAME --cron TEXT [--zone ZONE] [--misfire POLICY] [--set FIELD=VALUE]... --reason "why"
#        ./dev schedules change KIND.NAME [--cron TEXT] [--zone ZONE] [--misfire POLICY] [--set FIELD=VALUE]... --reason "why"
#        ./dev schedules delete KIND.NAME --reason "why"
#
#   --cron       five fields, such as "0 6 * * 1-5", six with seconds first, or @daily
#   --zone       a time zone such as Europe/Berlin; UTC without it
#   --misfire    Skip, Once or All: missed firings are skipped, made up for by one, or each
#   --set        a field of the payload; FIELD= removes it. kinds lists the fields
#
# preview prints the next ten firings in their zone and changes nothing. What a change leaves out stays as it is. A change that another operator has overtaken is refused.
#
# Asks the operator API with ORDERS_OPERATOR_KEY of .env. Exit code 0; 1 when it refuses or does not answer; 4 when the name is taken or the kind is gone.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/operator-api/call.sh

verb=${1:-}
case $verb in
  list | kinds | preview | create | change | delete) shift ;;
  *) unknown_argument "list, kinds, preview, create, change or delete" "${verb:-nothing}" list kinds preview create change delete ;;
esac

names=() cron='' zone='' misfire='' kind='' reason='' payload=''
while [ $# -gt 0 ]; do
  case $1 in
    --cron | --zone | --misfire | --kind | --reason)
      [ $# -gt 1 ] || fail "Expected a value after $1, found nothing. See ./dev schedules --help."
      printf -v "${1#--}" '%s' "$2"
      shift 2 ;;
    --set)
      [ $# -gt 1 ] && [[ $2 == ?*=* ]] || fail "Expected FIELD=VALUE after --set, found '${2:-nothing}'."
      value=null
      [ -z "${2#*=}" ] || value=$(json_string "${2#*=}")
      payload+="${payload:+,}$(json_string "${2%%=*}"):$value"
      shift 2 ;;
    -*) unknown_argument "an option" "$1" --cron --zone --misfire --kind --set --reason ;;
    *) names+=("$1"); shift ;;
  esac
done

# need N TEXT: ends the command unless it was given so many names.
need() { [ ${#names[@]} -eq "$1" ] || fail "Expected $2, found '${names[*]:-nothing}'. See ./dev schedules --help."; }
need_reason() { [ -n "$reason" ] || fail "Expected --reason \"why\", found none: it goes into the audit record."; }

# is_name TEXT: what stands in an address.
is_name() { [[ $1 =~ ^[a-z][a-z0-9.-]*$ ]] || fail "Expected the name of a schedule such as stock-report.mugs, found '$1'. ./dev schedules list shows them."; }

# wanted: the members of a body that the options make.
wanted() {
  printf '"reason":%s' "$(json_string "$reason")"
  [ -z "$cron" ] || printf ',"cron":%s' "$(json_string "$cron")"
  [ -z "$zone" ] || printf ',"timeZone":%s' "$(json_string "$zone")"
  [ -z "$misfire" ] || printf ',"misfire":%s' "$(json_string "$misfire")"
  [ -z "$payload" ] || printf ',"payload":{%s}' "$payload"
}

# revision NAME: that of the schedule as it stands.
revision() {
  local read
  read=$(call GET "/schedules/$1") || return
  text_of revision "${read%%\"payload\":*}"
}

case $verb in
  list)
    need 0 "nothing more"
    answer=$(call GET /schedules)
    case $answer in '[]'*) echo "There is no schedule."; exit ;; esac
    printf '%s\n' "$answer" | sed 's/},{"name":/}\n{"name":/g' | while IFS= read -r line; do
      # A payload may have fields of any name.
      line=${line%%\"payload\":*}
      state=on
      case $line in *'"paused":true'*) state=paused ;; *'"active":false'*) state=gone ;; esac
      why=$(text_of unusableBecause "$line")
      [ -z "$why" ] || state=unusable
      next=$(text_of nextDueAt "$line")
      printf '%-32s %-8s %-16s %-16s %s\n' "$(text_of name "${line%%,*}")" "$state" "$(text_of cron "$line")" "$(text_of timeZone "$line")" "${next:+next ${next:0:16}Z}${why:+$why}"
    done ;;
  kinds)
    need 0 "nothing more"
    answer=$(call GET /schedule-kinds)
    case $answer in '[]'*) echo "There is no kind of schedules."; exit ;; esac
    printf '%s\n' "$answer" | sed 's/{"name":/\n{"name":/g' | while IFS= read -r line; do
      case $line in
        *'"about":'*) printf '%s: %s\n' "$(text_of name "${line%%,*}")" "$(text_of about "$line")" ;;
        *'"type":'*)
          optional=''
          case $line in *'"required":false'*) optional=' (optional)' ;; esac
          printf '  %-16s %s: %s%s\n' "$(text_of name "${line%%,*}")" "$(text_of label "$line")" "$(text_of expectation "$line")" "$optional" ;;
      esac
    done ;;
  preview)
    need 0 "no name"
    [ -n "$cron" ] || fail "Expected --cron TEXT, found none."
    query=(--data-urlencode "cron=$cron" --data-urlencode "timeZone=${zone:-UTC}")
    [ -z "$kind" ] || query+=(--data-urlencode "kind=$kind")
    answer=$(call GET /schedules/preview --get "${query[@]}")
    printf '%s\n' "${answer#*\"next\":}" | sed 's/},{"at":/}\n{"at":/g' | while IFS= read -r line; do
      note=$(text_of note "$line")
      printf '%s%s\n' "$(text_of at "$line")" "${note:+  $note}"
    done ;;
  create)
    need 2 "a kind and a name"
    [ -n "$cron" ] || fail "Expected --cron TEXT, found none."
    need_reason
    body="{\"kind\":$(json_string "${names[0]}"),\"name\":$(json_string "${names[1]}"),$(wanted)}"
    answer=$(call POST /schedules -H 'Content-Type: application/json' --data "$body")
    echo "Schedule $(text_of schedule "$answer") is created." ;;
  change)
    need 1 "the name of a schedule"
    is_name "${names[0]}"
    [ -n "$cron$zone$misfire$payload" ] || fail "Expected what to change (--cron, --zone, --misfire, --set), found nothing."
    need_reason
    seen=$(revision "${names[0]}")
    call PATCH "/schedules/${names[0]}" -H "If-Match: \"$seen\"" -H 'Content-Type: application/json' --data "{$(wanted)}" >/dev/null
    echo "Schedule ${names[0]} is changed." ;;
  delete)
    need 1 "the name of a schedule"
    is_name "${names[0]}"
    need_reason
    seen=$(revision "${names[0]}")
    call POST "/schedules/${names[0]}/delete" -H "If-Match: \"$seen\"" -H 'Content-Type: application/json' --data "{\"reason\":$(json_string "$reason")}" >/dev/null
    echo "Schedule ${names[0]} is deleted." ;;
esac
