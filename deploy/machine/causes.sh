# Sourced by stages.sh: failures whose cause is known from the log. Each says what was found, why, and what to do.

# known_cause LOG: prints three lines at most; false when the log shows none of them.
known_cause() {
  local found
  found() { grep -a -i -m 1 -o -E "$2" "$1"; }
  if found "$1" 'no space left on device' >/dev/null; then
    printf '%s\n' "The disk is full: 'no space left on device'." \
      "Make room, then run the command again: 'docker system df' shows what Docker uses, 'docker system prune' removes what no container uses."
  elif found=$(found "$1" '(port is already allocated|address already in use|ports are not available)[^"]*'); then
    printf '%s\n' "A port that the services publish is taken: $(found "$1" '[0-9.]+:[0-9]+[^"]{0,40}(port is already allocated|address already in use)|Bind for [0-9.:]+ failed' || echo "$found")." \
      "Stop what holds it, or set another one of $(published_port_names) in .env."
  elif found=$(found "$1" 'password authentication failed for user "orders_owner"'); then
    foreign_data "PostgreSQL answers '$found'"
  # Only the admin's password: it is as old as the volume. A worker's login is refused for other reasons, and the data is right.
  elif found "$1" "user 'orders_admin' - invalid credentials|^migrate(-[0-9]+)? +\|.*(management API answered 401|401 \(Unauthorized\)|ACCESS_REFUSED)" >/dev/null; then
    foreign_data "RabbitMQ refuses orders_admin"
  elif found=$(found "$1" 'required variable [A-Z0-9_]+ is missing'); then
    printf '%s\n' "$(echo "$found" | cut -d' ' -f3) is not in .env." "Run ./dev env: it adds what is missing and changes nothing else."
  elif found "$1" 'permission denied while trying to connect to the docker' >/dev/null; then
    no_permission
  elif found "$1" 'cannot connect to the docker daemon|error during connect' >/dev/null; then
    printf '%s\n' "The Docker engine stopped answering meanwhile." "Start it, and run the command again."
  elif found=$(found "$1" '(NU1301|EAI_AGAIN|Temporary failure (in name resolution|resolving)|Could not resolve host|TLS handshake timeout|Unable to load the service index)[^"]{0,120}'); then
    printf '%s\n' "A package or image source did not answer: $found" "Check the network and the proxy settings, and run the command again."
  else
    return 1
  fi
}

published_port_names() { published_ports | cut -d' ' -f1 | xargs | sed 's/ /, /g'; }

no_permission() {
  printf '%s\n' "The Docker engine refuses user $(id -un): no permission for its socket." \
    "Add the user to the group docker (sudo usermod -aG docker $(id -un)), log in again, and run the command again."
}

# foreign_data FOUND: the volumes were made with other passwords than those of .env.
foreign_data() {
  local project
  project=$(project_name)
  printf '%s\n' "The volumes of project '$project' hold data of another clone or of an earlier .env: $1." \
    "To use that data: copy the .env that it was made with to $PWD/.env." \
    "To delete that data, orders and queues included: ./dev down --volumes" \
    "To keep both: COMPOSE_PROJECT_NAME=$project-2 in .env starts a second installation; ./dev env --help names the ports to change."
}
