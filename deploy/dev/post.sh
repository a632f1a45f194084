#!/usr/bin/env bash
# post a sample order and follow it to the end, step by step; or post many.
#
# Usage: ./dev post [--no-wait] [N]
#
#   N           post N orders (default 1). With more than one: a line per order (id, customer, end) and the time until the last has ended.
#   --no-wait   only post: a line per order (id, customer)
#
# Ends with an error unless every order is Completed within a minute. Each order has a customer of its own, so that its mail is easy to find.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/dev/sample-order/order.sh

wait=yes count=1
for argument in "$@"; do
  case $argument in
    --no-wait) wait=no ;;
    *[!0-9]* | '' | 0) unknown_argument "--no-wait or a number of orders from 1" "$argument" ;;
    *) count=$argument ;;
  esac
done

command -v curl >/dev/null || fail "Expected curl, found none. Install it (on Debian: apt-get install curl)."
key=$(setting ORDERS_API_KEY '')
[ -n "$key" ] || fail "Expected ORDERS_API_KEY in .env or in the environment, found none." "Run ./dev up: it makes the key and starts the API."
host=$(setting BIND_ADDRESS 127.0.0.1)
[ "$host" != 0.0.0.0 ] || host=127.0.0.1
api=$(scheme)://$host:$(setting API_PORT 8080)
outside=$(scheme)://$host:$(setting OUTSIDE_WORLD_PORT 8025)

trust_installation
. deploy/dev/sample-order/follow.sh

read_catalogue
if [ "$count" -eq 1 ] && [ "$wait" = yes ]; then
  posted_at=$(milliseconds)
  post
  echo "202 Accepted in $(($(milliseconds) - posted_at)) ms: $answer"
  follow "$id"
  echo
  echo "  order    $api/orders/$id   (Authorization: Bearer \$ORDERS_API_KEY)"
  echo "  invoice  $api/orders/$id/invoice.pdf"
  echo "  mail     $outside/   (to $customer)"
  [ "$end" = Completed ] || exit 1
  exit
fi

posted_at=$(milliseconds)
orders=()
for ((n = 0; n < count; n++)); do
  post
  orders+=("$id $customer")
  [ "$wait" = yes ] || echo "$id  $customer"
done
[ "$wait" = yes ] || exit 0
echo "Posted $count orders in $(seconds $(($(milliseconds) - posted_at))) s"
completed=0
for order in "${orders[@]}"; do
  await_end "${order% *}"
  echo "${order% *}  ${order#* }  $end"
  [ "$end" != Completed ] || completed=$((completed + 1))
done
echo "$completed of $count Completed in $(seconds $(($(milliseconds) - posted_at))) s"
[ "$completed" -eq "$count" ]
