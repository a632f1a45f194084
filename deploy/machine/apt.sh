# Sourced: what set-up takes from Debian's packages. The mirror is always the one this machine is configured for.

on_debian_as_root() { [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && grep -q '^ID=debian' /etc/os-release; }

# install_packages PACKAGE...: apt-get update is tried only when the package is not found, and a broken third-party source does not end it.
install_packages() {
  local options=(-qq -y --no-install-recommends)
  DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" && return
  apt-get -qq update || true
  DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@"
}

debian_mirror() {
  local find=(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian')
  # Without package lists apt does not know yet which of its sources is Debian's.
  [ -n "$("${find[@]}")" ] || apt-get -qq update >&2 || true
  local mirror
  mirror=$("${find[@]}" | head -1)
  [ -n "$mirror" ] || fail "Expected a Debian mirror among apt's sources, found none. Add one to /etc/apt/sources.list.d and run again."
  echo "$mirror"
}

# suite TOOL ARGUMENT...: apt-get or apt-cache on the newer suite that has the versions we need, in a state directory of its own:
# the machine's apt is not touched. A mirror's copy of that suite may be past its validity date, hence the option.
suite=forky
in_suite() {
  local tool=$1 state=$work/apt-$suite
  shift
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  : >>"$state/status"
  [ -s "$state/sources.list" ] ||
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $suite main" >"$state/sources.list"
  "$tool" -q -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$state/lists" \
    -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root "$@"
}
