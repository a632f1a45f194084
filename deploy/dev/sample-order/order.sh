# Sourced: makes up an order and posts it. Plain text tools on purpose: neither jq nor Python has to be there.

# member NAME JSON: sets found to the value of the first member of that name, a text, number or word. Enough for our own answers, not for
# any JSON. No process is started: while an order is followed that would take longer than its steps do.
member() {
  found=''
  if [[ $2 =~ \"$1\":\"?([^\",}]*) ]]; then found=${BASH_REMATCH[1]}; fi
}

# Goods with enough left for a while, so that a sample order is not refused for want of stock.
read_catalogue() {
  local listed
  listed=$(curl -sS --max-time 10 -H "Authorization: Bearer $key" "$api/catalogue") ||
    fail "Expected an answer from $api, found none. Is it up? ./dev up starts it, ./dev logs api says what it does."
  goods=($(paste <(grep -o '"onHand":[0-9]*' <<<"$listed" | cut -d: -f2) <(grep -o '"sku":"[^"]*"' <<<"$listed" | cut -d'"' -f4) |
    awk '$1 >= 1000 { print $2 }'))
  [ ${#goods[@]} -gt 0 ] || fail "Expected goods with at least 1000 on hand in $api/catalogue, found: $listed" \
    "./dev down --volumes and ./dev up begin again with full stock."
}

# Sets body and customer.
make_up_order() {
  local names=('Zoë Müller' 'Łukasz Nowak' 'Анна Петрова' '田中 花子' 'Óscar Núñez' 'Grace Hopper') cities=(Hamburg Gdańsk Lyon Ghent Porto)
  local first=$((RANDOM % ${#goods[@]})) lines
  customer="customer-$(head -c 6 /dev/urandom | od -An -tx1 | tr -d ' \n')@example.com"
  lines="{\"sku\":\"${goods[first]}\",\"quantity\":$((RANDOM % 3 + 1))}"
  # Another line with other goods: no SKU twice.
  [ ${#goods[@]} -eq 1 ] || lines="$lines,{\"sku\":\"${goods[(first + 1) % ${#goods[@]}]}\",\"quantity\":1}"
  body=$(printf '{"customer":{"name":"%s","email":"%s"},"lines":[%s],"currency":"EUR","shippingAddress":%s}' \
    "${names[RANDOM % ${#names[@]}]}" "$customer" "$lines" \
    "{\"line1\":\"Hafenstr. 1\",\"city\":\"${cities[RANDOM % ${#cities[@]}]}\",\"postalCode\":\"20457\",\"country\":\"DE\"}")
}

# Sets answer and id (and customer).
post() {
  local status
  make_up_order
  answer=$(curl -sS --max-time 10 -w '\n%{http_code}' -H "Authorization: Bearer $key" -H 'Content-Type: application/json' --data-binary "$body" "$api/orders") ||
    fail "Expected an answer from $api/orders, found none. ./dev logs api says what it does."
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  [ "$status" = 202 ] || fail "Expected 202 from POST $api/orders, found $status: $answer"
  member id "$answer"
  id=$found
}
