# Sourced after apt.sh: a C compiler, for the clock that tests and ./dev chaos set off (deploy/chaos/clock.c).

ensure_compiler() {
  compiles || ! on_debian_as_root || install_packages gcc libc6-dev
  compiles || fail "Expected a C compiler 'cc' with the C library's headers, found none: deploy/chaos/clock.c is built with it." \
    "Install it; on Debian and Ubuntu: apt-get install gcc libc6-dev"
  note "$(cc -dumpversion)"
}

compiles() { command -v cc >/dev/null && cc -x c -fsyntax-only - < <(echo '#include <time.h>'); }
