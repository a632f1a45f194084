# Sourced: a Docker engine and the compose plugin. Whatever already works is left alone.

# The oldest that the tests and ./dev chaos were run on: Docker 20.10, compose 2.24 (env_file with `required`).
minimum_api=1.41 minimum_compose=2.24.0

# bounded SECONDS COMMAND...: an engine that hangs answers nothing for ever.
bounded() { if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi; }

# is_at_least VERSION MINIMUM
is_at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$2" ]; }

engine_api() { bounded 20 docker version --format '{{.Server.APIVersion}}'; }

# need_engine: an engine that answers and is new enough. Starts and installs nothing.
need_engine() {
  local api reason
  command -v docker >/dev/null || fail "No command 'docker' was found; Orders runs in containers." "Install Docker: https://docs.docker.com/engine/install/"
  if api=$(engine_api 2>"$work/engine.$$"); then
    rm -f "$work/engine.$$"
    is_at_least "$api" "$minimum_api" ||
      fail "The Docker engine is too old: its API has version $api; Orders needs $minimum_api (Docker 20.10) or newer." "Update Docker: https://docs.docker.com/engine/install/"
    note "API $api"
    return
  fi
  reason=$(grep -v '^[[:space:]]*$' "$work/engine.$$" | tail -1)
  # It becomes part of a sentence.
  reason=${reason%[.?]}
  rm -f "$work/engine.$$"
  case $reason in *"permission denied"*) fail "$(no_permission)" ;; esac
  if ! engine_is_here; then
    fail "The Docker engine of DOCKER_HOST '$(setting DOCKER_HOST '')', context '$(docker context show 2>/dev/null)', does not answer${reason:+: $reason}." \
      "Start it (Docker Desktop: open the application), or choose another: unset DOCKER_HOST, docker context use default."
  fi
  fail "The Docker engine does not run, or does not answer within 20 s${reason:+: $reason}." \
    "Start it: 'sudo systemctl start docker', without systemd 'sudo service docker start', or open Docker Desktop. Then run the command again."
}

ensure_engine() {
  if command -v docker >/dev/null && engine_api >/dev/null 2>&1; then need_engine; return; fi
  # A slow one may answer now. Only on Debian as root does set-up install and start an engine by itself.
  if ! on_debian_as_root || ! engine_is_here; then need_engine; return; fi
  if ! command -v dockerd >/dev/null; then
    install_packages docker.io iptables
    # From Debian 13 on the client is a package of its own.
    command -v docker >/dev/null || install_packages docker-cli
  fi
  if [ -d /run/systemd/system ]; then systemctl start docker; else start_engine_without_systemd; fi
  local tries=0
  until engine_api >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] ||
      fail "dockerd was started and does not answer after 60 s: $(tail -n 1 "$work/dockerd.log" 2>/dev/null)" "The log of dockerd is $work/dockerd.log, or that of 'journalctl -u docker'."
    sleep 0.5
  done
  note "started, API $(engine_api)"
}

# In a session of its own, so that it outlives this shell and its terminal.
start_engine_without_systemd() { setsid dockerd >"$work/dockerd.log" 2>&1 </dev/null & }

ensure_compose() {
  local version
  version=$(docker compose version --short 2>/dev/null) || version=''
  version=${version#v}
  if [ -n "$version" ] && is_at_least "$version" "$minimum_compose"; then note "$version"; return; fi
  on_debian_as_root ||
    fail "'docker compose' was $([ -n "$version" ] && echo "found in version $version" || echo "not found"); Orders needs $minimum_compose or newer." "Install it: https://docs.docker.com/compose/install/linux/"
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
