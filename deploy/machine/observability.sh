# Sourced after images.sh and installation.sh: Prometheus, Alertmanager, Grafana and the viewer of traces (deploy/observability/compose.yml).

observability_file=deploy/observability/compose.yml

# What `fail` calls them where they are not allowed; see choose_observability and choose_tls.
uses_observability() { [[ ":$(setting COMPOSE_FILE ''):" == *:$observability_file:* ]]; }

# choose_observability: this and all later commands use the file, because COMPOSE_FILE of .env says so (see remember_observability).
choose_observability() {
  if uses_tls; then
    fail "Expected no TLS with --observability, found COMPOSE_FILE=$(setting COMPOSE_FILE ''): scrapes and traces would be in plain text between the containers." \
      "Leave --observability out, and scrape from inside (docs/security.md, \"Containers and networks\")."
  fi
  ! uses_observability || return 0
  COMPOSE_FILE=$(compose_files | paste -sd: -):$observability_file
  export COMPOSE_FILE
}

# remember_observability: else the next ./dev up without the option would remove these containers.
remember_observability() {
  local kept
  kept=$(awk -v want=COMPOSE_FILE -f deploy/machine/dotenv.awk .env)
  [[ :$kept: != *:$observability_file:* ]] || return 0
  [ -z "$kept" ] || fail "Expected COMPOSE_FILE in .env to end in :$observability_file, found $kept." "Change it there: COMPOSE_FILE=$kept:$observability_file"
  printf '# Prometheus and what belongs to it, by ./dev up --observability. Without this line they are gone after the next ./dev up.\nCOMPOSE_FILE=%s\n' "$COMPOSE_FILE" >>.env
}

# find_grafana: of it there is no stand-in, so it may be missing.
find_grafana() {
  if docker image inspect "$grafana_image" >/dev/null 2>&1; then check_digest "$grafana_image"; note "there"; return; fi
  if pull_pinned "$grafana_image"; then note "pulled"; else note "not to be had here"; fi
}

# stage_grafana: starts it with the rest if it is there, and says so in a sentence if not.
stage_grafana() {
  stage "Grafana" find_grafana
  if docker image inspect "$grafana_image" >/dev/null 2>&1; then
    COMPOSE_PROFILES=$(profiles)
    [[ ,$COMPOSE_PROFILES, == *,grafana,* || $COMPOSE_PROFILES == '*' ]] || COMPOSE_PROFILES+=${COMPOSE_PROFILES:+,}grafana
    export COMPOSE_PROFILES
  else
    echo "Grafana is left out, everything else starts: no registry answered for $grafana_image, and its image is not here (docker load brings it)."
  fi
}

# has_grafana: after stage_grafana.
has_grafana() { [[ ,$(profiles), == *,grafana,* || $(profiles) == '*' ]]; }

# observability_addresses: lines for the end of ./dev up.
observability_addresses() {
  local host=http://127.0.0.1
  echo "  Prometheus          $host:$(setting PROMETHEUS_PORT 9090)/   (Alertmanager: $host:$(setting ALERTMANAGER_PORT 9093)/)"
  ! has_grafana || echo "  Grafana             $host:$(setting GRAFANA_PORT 3000)/   (admin, GRAFANA_PASSWORD in .env)"
  echo "  Traces and logs     $host:$(setting TRACES_PORT 18888)/   (TELEMETRY_PASSWORD in .env)"
}
