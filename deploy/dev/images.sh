#!/usr/bin/env bash
# show the base images and the digests they are pinned to; --renew pins those that the registry has now.
#
# Usage: ./dev images [--renew]
#
#   --renew   pull each base image by its tag, and write its digest into deploy/machine/images.lock
#
# ./dev up, ./dev test and ./dev chaos pull a base image by the digest in deploy/machine/images.lock, and refuse one of another digest.
# One that the file does not name is pinned to the digest of its first pull, in .cache/images.lock of this clone.
# Renew after a security fix of .NET, PostgreSQL, RabbitMQ or their Debian packages, run .ci/run, and commit the file.
# Stand-ins, which ./dev up builds from Debian's packages where no registry answers, have no digest and are not compared.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh

renew=''
for argument in "$@"; do
  case $argument in
    --renew) renew=yes ;;
    *) unknown_argument "--renew or nothing" "$argument" ;;
  esac
done
images="$broker_image $database_image $runtime_image $sdk_image $prometheus_image $alertmanager_image $grafana_image $traces_image"

renew_image() {
  pull "$1" || fail "No registry answered for $1: $(tail -n 1 "$work/pull.log")" "deploy/machine/images.lock is as it was for this image."
  lock_image "$1" "$image_lock"
}

stage "Docker engine" need_engine
# shellcheck disable=SC2086 # one word each
if [ -n "$renew" ]; then for image in $images; do stage "$image" renew_image "$image"; done; fi
for image in $images; do
  pinned=$(locked_digest "$image") here=$(digest_of "$image")
  printf '%-46s pinned %s, here %s\n' "$image" "${pinned:-to nothing}" "${here:-none}"
done
