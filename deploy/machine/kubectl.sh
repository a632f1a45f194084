# Sourced after apt.sh: kubectl, which makes the objects of deploy/kubernetes for their tests. It calls no cluster. KUBECTL names another one.

kubectl_path() { echo "${KUBECTL:-$(command -v kubectl || echo "$work/kubectl/usr/bin/kubectl")}"; }

# Unpacked and not installed, like nginx: a machine's own kubectl, from wherever it comes later, is not in the way of Debian's package.
ensure_kubectl() {
  local kubectl unpacked
  kubectl=$(kubectl_path)
  if [ ! -x "$kubectl" ] && on_debian_as_root; then
    unpacked=$(mktemp -d)
    (cd "$unpacked" && { apt-get -qq download kubernetes-client || { apt-get -qq update || true; apt-get -qq download kubernetes-client; }; } && dpkg -x kubernetes-client_*.deb "$work/kubectl")
    rm -rf "$unpacked"
  fi
  [ -x "$kubectl" ] || fail "Expected kubectl 1.20 or newer, found none: it makes the objects of deploy/kubernetes for their tests." \
    "Install it, on Debian: apt-get install kubernetes-client; or set KUBECTL to one."
  note "$("$kubectl" version --client 2>/dev/null | grep -o -m1 'v1\.[0-9.]*' | head -1)"
}
