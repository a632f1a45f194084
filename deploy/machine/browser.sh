# Sourced: what the dashboard is built with (npm, for htmx and uPlot) and tested with (Chromium).

# The dashboard's project calls `npm ci` when it is built; the Dockerfile has npm in a stage of its own.
ensure_npm() {
  command -v npm >/dev/null || ! on_debian_as_root || install_packages npm
  command -v npm >/dev/null || fail "Expected npm, found none: the dashboard takes htmx and uPlot from npm packages." "Install it; on Debian and Ubuntu: apt-get install npm"
  note "$(npm --version)"
}

# CHROMIUM names another one. Playwright's package has its own driver and downloads nothing.
# Debian's headless shell is Chromium without the browser around its pages: the tests need a third less processor time with it.
chromium_path() {
  local browser
  for browser in "${CHROMIUM:-}" /usr/bin/chromium-headless-shell /usr/bin/chromium; do
    [ -z "$browser" ] || [ ! -x "$browser" ] || { echo "$browser"; return; }
    [ -z "${CHROMIUM:-}" ] || return 0
  done
}

ensure_chromium() {
  local browser
  browser=$(chromium_path)
  if [ -z "${CHROMIUM:-}" ] && [ "$browser" != /usr/bin/chromium-headless-shell ] && on_debian_as_root; then
    # Older suites do not have the shell.
    install_packages chromium-headless-shell || [ -n "$browser" ] || install_packages chromium
    browser=$(chromium_path)
  fi
  [ -n "$browser" ] || fail "Expected Chromium at ${CHROMIUM:-/usr/bin/chromium-headless-shell or /usr/bin/chromium}, found none: the dashboard's tests drive it." \
    "Install it, on Debian: apt-get install chromium-headless-shell; or set CHROMIUM to one."
  note "$("$browser" --version --no-sandbox 2>/dev/null | cut -d' ' -f1-3)"
}
