# Sourced after apt.sh: Prometheus and promtool, which run the rules and queries of deploy/observability in tests. PROMETHEUS and PROMTOOL name others.

prometheus_path() { echo "${PROMETHEUS:-$(command -v prometheus || echo "$work/prometheus/usr/bin/prometheus")}"; }
promtool_path() { echo "${PROMTOOL:-$(command -v promtool || echo "$work/prometheus/usr/bin/promtool")}"; }

# unpack_programs FOLDER PACKAGE...: unpacked and not installed, because Debian's packages start servers. Of the suite that has the versions of the images.
# What these programs link to is on every Debian.
unpack_programs() {
  local folder=$1 unpacked package
  shift
  unpacked=$(mktemp -d)
  (cd "$unpacked" && { in_suite apt-get download "$@" || { in_suite apt-get update && in_suite apt-get download "$@"; }; })
  mkdir -p "$folder"
  for package in "$unpacked"/*.deb; do dpkg -x "$package" "$folder"; done
  rm -rf "$unpacked"
}

ensure_prometheus() {
  if { [ ! -x "$(prometheus_path)" ] || [ ! -x "$(promtool_path)" ]; } && on_debian_as_root; then
    unpack_programs "$work/prometheus" prometheus promtool
  fi
  [ -x "$(prometheus_path)" ] && [ -x "$(promtool_path)" ] ||
    fail "Expected prometheus and promtool 3.0 or newer, found none: the rules and queries of deploy/observability are tested with them." \
      "Install them (https://prometheus.io/download/), or set PROMETHEUS and PROMTOOL to them."
  note "$("$(promtool_path)" --version 2>&1 | sed -n '1s/.*version \([^ +]*\).*/\1/p')"
}
