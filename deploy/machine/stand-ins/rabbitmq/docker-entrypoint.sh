#!/bin/sh
# Stand-in for the entrypoint of the official rabbitmq image: become user rabbitmq, then run the command.
set -e
export HOME=/var/lib/rabbitmq
case "$1" in rabbitmq*)
  if [ "$(id -u)" = 0 ]; then
    if [ "$1" = rabbitmq-server ]; then
      # The cookie is made here. Left to the server, a health check that comes first makes it as root, and the server dies with
      # ".erlang.cookie: eacces". RABBITMQ_ERLANG_COOKIE gives the nodes of a cluster a shared one.
      cookie=$HOME/.erlang.cookie
      if [ -n "${RABBITMQ_ERLANG_COOKIE:-}" ]; then printf %s "$RABBITMQ_ERLANG_COOKIE" >"$cookie"
      elif [ ! -s "$cookie" ]; then tr -dc A-Z0-9 </dev/urandom | head -c 20 >"$cookie"; fi
      chmod 600 "$cookie"
      unset RABBITMQ_ERLANG_COOKIE
      find /var/lib/rabbitmq \! -user rabbitmq -exec chown rabbitmq '{}' +
    fi
    exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$0" "$@"
  fi ;;
esac
exec "$@"
