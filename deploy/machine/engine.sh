# Sourced: a Docker engine and the compose plugin. Whatever already works is left alone.

engine_api() { docker version --format '{{.Server.APIVersion}}' 2>/dev/null; }

ensure_engine() {
  if engine_api >/dev/null; then note "API $(engine_api)"; return; fi
  on_debian_as_root || fail "Expected a running Docker engine, found none." \
    "Start it, or install it (https://docs.docker.com/engine/install/); set-up does that by itself only on Debian as root."
  if ! command -v dockerd >/dev/null; then
    install_packages docker.io iptables
    # From Debian 13 on the client is a package of its own.
    command -v docker >/dev/null || install_packages docker-cli
  fi
  if [ -d /run/systemd/system ]; then systemctl start docker; else start_engine_without_systemd; fi
  local tries=0
  until engine_api >/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { tail -n 20 "$work/dockerd.log"; fail "dockerd does not answer after 60 s; its log is $work/dockerd.log."; }
    sleep 0.5
  done
  note "installed, API $(engine_api)"
}

# In a session of its own, so that it outlives this shell and its terminal.
start_engine_without_systemd() { setsid dockerd >"$work/dockerd.log" 2>&1 </dev/null & }

ensure_compose() {
  if docker compose version >/dev/null 2>&1; then note "$(docker compose version --short)"; return; fi
  on_debian_as_root || fail "Expected 'docker compose' (version 2), found none." "Install it: https://docs.docker.com/compose/install/linux/"
  # Debian 12's own docker-compose is version 1. The newer suite's is a program that needs nothing but libc: it runs here unpacked.
  local plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins unpacked
  unpacked=$(mktemp -d)
  in_suite apt-get update
  (cd "$unpacked" && in_suite apt-get download docker-compose && dpkg -x docker-compose_*.deb .)
  mkdir -p "$plugins"
  cp "$unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$plugins/"
  rm -rf "$unpacked"
  note "installed, $(docker compose version --short)"
}

# What Testcontainers must be told about an older engine; call after the stages, in the command's own shell.
testcontainers_settings() {
  local api
  api=$(engine_api)
  # Its client speaks API 1.44 unless told otherwise.
  if [ "$(printf '%s\n1.44\n' "$api" | sort -V | head -1)" != 1.44 ]; then export DOCKER_API_VERSION=$api; fi
  # Its clean-up container comes from a registry. Without it we remove what a killed run leaves, by label.
  if [ -z "$(docker images -q testcontainers/ryuk)" ]; then export TESTCONTAINERS_RYUK_DISABLED=true; fi
}
