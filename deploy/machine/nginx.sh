# Sourced after apt.sh: nginx, for the tests of the dashboard behind a reverse proxy. NGINX names another one.

nginx_path() { echo "${NGINX:-$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null || echo "$work/nginx/usr/sbin/nginx")}"; }

# Unpacked and not installed: installing Debian's package starts a server on port 80. What the program links to is on every Debian.
ensure_nginx() {
  local nginx unpacked
  nginx=$(nginx_path)
  if [ ! -x "$nginx" ] && on_debian_as_root; then
    unpacked=$(mktemp -d)
    (cd "$unpacked" && { apt-get -qq download nginx || { apt-get -qq update || true; apt-get -qq download nginx; }; } && dpkg -x nginx_*.deb "$work/nginx")
    rm -rf "$unpacked"
  fi
  [ -x "$nginx" ] || fail "Expected nginx, found none: the dashboard is tested behind it." "Install it, on Debian and Ubuntu: apt-get install nginx; or set NGINX to one."
  note "$("$nginx" -v 2>&1 | sed 's/.*nginx\///')"
}
