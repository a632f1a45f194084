# Sourced: how an order is followed to its end. Both functions set `end` to the order's last known status.

at_its_end() { case $1 in Completed | Rejected | Cancelled | NeedsAttention) ;; *) return 1 ;; esac; }

# follow ID: one line per change, from the order's server-sent events; the times count from the post.
follow() {
  local line event data seen='' deadline=$(($(milliseconds) + 60000))
  end=unknown
  # Again when the stream ends early, because the API restarts for example: it begins with what is known by then.
  until at_its_end "$end" || [ "$(milliseconds)" -gt "$deadline" ]; do
    while IFS= read -r line; do
      line=${line%$'\r'}
      case $line in
        event:*) event=${line#event: } ;;
        data:*)
          data=${line#data: }
          case $seen in *"|$data|"*) continue ;; esac
          seen="$seen|$data|"
          show_event
          ;;
      esac
    done < <(curl -sS -N --max-time 60 -H "Authorization: Bearer $key" "$api/orders/$1/events" || sleep 0.5)
  done
  if [ "$end" = Completed ]; then
    echo "Completed in $(seconds $(($(milliseconds) - posted_at))) s"
  else
    echo "Expected Completed, found $end after $(seconds $(($(milliseconds) - posted_at))) s. ./dev logs and the order below say why." >&2
  fi
}

# Reads event and data of follow, sets end.
show_event() {
  local subject=order status again='' now=${EPOCHREALTIME:-$SECONDS.000000}
  member status "$data"
  status=$found
  end=${status:-$end}
  if [ "$event" = step ]; then
    member step "$data"; subject=$found
    member stepStatus "$data"; status=$found
    member attempts "$data"
    if ((${found:-0} > 1)); then again="  (attempt $found)"; fi
  fi
  printf '%6d ms  %-10s %s%s\n' $((10#${now/[.,]/} / 1000 - posted_at)) "$subject" "$status" "$again"
}

# await_end ID: asks until the order has ended, a minute at most after the call.
await_end() {
  local deadline=$(($(milliseconds) + 60000))
  end=unknown
  until at_its_end "$end" || [ "$(milliseconds)" -gt "$deadline" ]; do
    member status "$(curl -sS --max-time 10 -H "Authorization: Bearer $key" "$api/orders/$1")"
    end=$found
    at_its_end "$end" || sleep 0.2
  done
}
