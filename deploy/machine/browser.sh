# Sourced: what the dashboard is built with (npm, for htmx and uPlot) and tested with (Chromium).

# The dashboard's project calls `npm ci` when it is built; the Dockerfile has npm in a stage of its own.
ensure_npm() {
  command -v npm >/dev/null || ! on_debian_as_root || install_packages npm
  command -v npm >/dev/null || fail "Expected npm, found none: the dashboard takes htmx and uPlot from npm packages." "Install it; on Debian and Ubuntu: apt-get install npm"
  note "$(npm --version)"
}

# CHROMIUM names another one. Playwright's package has its own driver and downloads nothing.
ensure_chromium() {
  local browser=${CHROMIUM:-/usr/bin/chromium}
  [ -x "$browser" ] || ! on_debian_as_root || install_packages chromium
  [ -x "$browser" ] || fail "Expected Chromium at $browser, found none: the dashboard's tests drive it." "Install it, on Debian: apt-get install chromium; or set CHROMIUM to one."
  note "$("$browser" --version --no-sandbox 2>/dev/null | cut -d' ' -f1,2)"
}
