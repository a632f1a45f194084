# Sourced after apt.sh: a C compiler, for what tests and ./dev chaos put before the C library (clock.c, network-news.c).

ensure_compiler() {
  compiles || ! on_debian_as_root || install_packages gcc libc6-dev
  compiles || fail "Expected a C compiler 'cc' with the C library's headers, found none: the tests build two libraries with it." \
    "Install it; on Debian and Ubuntu: apt-get install gcc libc6-dev"
  note "$(cc -dumpversion)"
}

compiles() { command -v cc >/dev/null && cc -x c -fsyntax-only - < <(echo '#include <time.h>'); }
