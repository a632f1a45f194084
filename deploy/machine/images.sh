# Sourced: the images that compose files, Dockerfile and tests name: pulled, or built as stand-ins where no registry answers.

broker_image=rabbitmq:4.3-management
database_image=postgres:18
runtime_image=mcr.microsoft.com/dotnet/aspnet:10.0
sdk_image=mcr.microsoft.com/dotnet/sdk:10.0

# Those of deploy/observability/compose.yml. Of Grafana there is no stand-in.
prometheus_image=prom/prometheus:v3.5.3
alertmanager_image=prom/alertmanager:v0.33.1
grafana_image=grafana/grafana:12.2.0
traces_image=mcr.microsoft.com/dotnet/aspire-dashboard:13.6

# What the images are made of (see .dockerignore). Where there is no git, or no commit, the version says no revision.
image_sources=(src demo deploy/container deploy/settings Dockerfile .editorconfig Directory.Build.props Directory.Packages.props global.json)

# The last commit that changed the images' sources, with -changed if they differ from it: another one means another build, and only then.
image_revision() {
  local commit
  commit=$(git log -1 --format=%h --abbrev=10 -- "${image_sources[@]}" 2>/dev/null) || return 0
  [ -n "$commit" ] || return 0
  [ -z "$(git status --porcelain -- "${image_sources[@]}" 2>/dev/null)" ] || commit+=-changed
  echo "$commit"
}

# The images of docker-compose.yml, with the revision in their version.
build_images() {
  ORDERS_REVISION=$(image_revision)
  export ORDERS_REVISION
  docker compose build
  note "${ORDERS_REVISION:-no revision}"
}

image_lock=deploy/machine/images.lock
# What this clone has pulled first, of the images that the file above does not name. Ignored by git: a changed file would refuse the checkout of a later version.
first_pulls=.cache/images.lock

# locked IMAGE: the digest that it is pinned to, and by which file; nothing when it is not.
locked() {
  local files=("$image_lock")
  [ ! -f "$first_pulls" ] || files+=("$first_pulls")
  awk -v image="$1" '$1 == image && !found++ { print $2, FILENAME }' "${files[@]}"
}

locked_digest() { locked "$1" | cut -d ' ' -f 1; }

# digest_of IMAGE: the digest under which this machine has it from a registry. A stand-in and an image of `docker load` have none.
digest_of() { docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" 2>/dev/null | sed -n "s|^${1%:*}@||p" | head -n 1; }

# lock_image IMAGE FILE: pins it there to what this machine has.
lock_image() {
  local digest rest=''
  digest=$(digest_of "$1")
  [ -n "$digest" ] || { note "has no digest"; return 0; }
  mkdir -p "$(dirname "$2")"
  [ ! -f "$2" ] || rest=$(awk -v image="$1" '$1 != image' "$2")
  printf '%s%s %s\n' "${rest:+$rest$'\n'}" "$1" "$digest" >"$2"
  note "pinned in $2"
}

# check_digest IMAGE
check_digest() {
  local pinned by here
  read -r pinned by <<<"$(locked "$1")"
  here=$(digest_of "$1")
  [ -z "$pinned" ] || [ -z "$here" ] || [ "$pinned" = "$here" ] ||
    fail "The image $1 of this machine is $here; $by pins $pinned." \
      "Take the pinned one: docker rmi -f $1, then run the command again. Or pin the registry's newest: ./dev images --renew"
}

# ensure_images IMAGE...
ensure_images() {
  local image missing=() pulled=0
  for image in "$@"; do
    if docker image inspect "$image" >/dev/null 2>&1; then check_digest "$image"; else missing+=("$image"); fi
  done
  if [ ${#missing[@]} -eq 0 ]; then note "$# there"; return; fi
  local unreachable=()
  for image in "${missing[@]}"; do
    if [ ${#unreachable[@]} -eq 0 ] && pull_pinned "$image"; then pulled=$((pulled + 1)); else unreachable+=("$image"); fi
  done
  if [ ${#unreachable[@]} -eq 0 ]; then note "$pulled pulled"; return; fi
  on_debian_as_root || fail "Images that could not be pulled: ${unreachable[*]}. The engine says: $(tail -n 1 "$work/pull.log")" \
    "Check network, proxy ('docker info' shows the engine's) and registry login, or load the images with 'docker load'."
  bash deploy/machine/stand-ins.sh "${unreachable[@]}"
  note "$pulled pulled, ${#unreachable[@]} stand-ins built"
}

# pull_pinned IMAGE: by its digest, under the name of its tag; without one by its tag, and its digest is kept.
pull_pinned() {
  local digest
  digest=$(locked_digest "$1")
  if [ -n "$digest" ]; then
    pull "${1%:*}@$digest" && docker tag "${1%:*}@$digest" "$1"
  else
    pull "$1" && lock_image "$1" "$first_pulls"
  fi
}

# A pull that has not even found its image after a few seconds has no registry to talk to; once it has, it may take its time.
# Asked through the engine, because it may have a mirror or a proxy of which this shell knows nothing.
pull() {
  local log=$work/pull.log pid waited=0
  docker pull "$1" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null && ! grep -q 'Pulling from' "$log"; do
    waited=$((waited + 1))
    if [ "$waited" -gt 25 ]; then
      kill "$pid"
      echo "No registry answered for $1 within 5 s." | tee -a "$log"
      return 1
    fi
    sleep 0.2
  done
  if wait "$pid"; then return 0; fi
  cat "$log"
  return 1
}
