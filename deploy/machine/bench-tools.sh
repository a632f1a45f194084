# Sourced: what the benchmark's competitors and the tools of ./dev lint run on, beside Docker and .NET.

# ensure_node REASON REMEDY
ensure_node() {
  command -v npm >/dev/null || ! on_debian_as_root || install_packages nodejs npm || install_packages nodejs
  local version
  version=$(node --version 2>/dev/null) || version=none
  [[ $version =~ ^v(2[0-9]|[3-9][0-9])\. ]] && command -v npm >/dev/null ||
    fail "Expected Node.js 20 or newer with npm, found $version: $1" "$2"
  note "$version"
}

# The bench starts a private Redis; the service that the package may have started is not needed.
ensure_redis() {
  if ! command -v redis-server >/dev/null; then
    on_debian_as_root || fail "Expected redis-server, found none: BullMQ keeps its jobs there." "Install it, or leave BullMQ out: ./dev bench --help."
    install_packages redis-server
    [ ! -d /run/systemd/system ] || systemctl disable --now redis-server
  fi
  note "$(redis-server --version | grep -o 'v=[0-9.]*')"
}

# npm ci begins by deleting what is there, so it runs only when the lock file is newer than its last result.
ensure_npm_packages() {
  [ ! "$1/node_modules/.done" -nt "$1/package-lock.json" ] || { note "there"; return; }
  npm ci --prefix "$1" --no-audit --no-fund
  touch "$1/node_modules/.done"
}
