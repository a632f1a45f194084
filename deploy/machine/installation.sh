# Sourced: the installation of this clone (compose project, ports, steps), and what must hold before it is started.

project_name() { setting COMPOSE_PROJECT_NAME orders; }

# profiles: those of compose that are on, from the environment or from .env; else those that ./dev env is going to write there.
profiles() {
  if [ -n "${COMPOSE_PROFILES+set}" ]; then echo "$COMPOSE_PROFILES"
  elif says_profiles; then awk -v want=COMPOSE_PROFILES -f deploy/machine/dotenv.awk .env
  elif ! has_own_world; then echo demo; fi
}

# says_profiles: whether .env says which profiles are on; an empty value says that none is.
says_profiles() { [ -r .env ] && awk -v list=names -f deploy/machine/dotenv.awk .env | grep -x COMPOSE_PROFILES >/dev/null; }

# has_own_world: whether .env names a mail server and a warehouse, so that nothing calls those of the demo.
has_own_world() {
  local mail warehouse
  mail=$(setting Email__Smtp__Host "$(setting SMTP_HOST outside-world)") warehouse=$(setting Warehouse__Url "$(setting WAREHOUSE_URL outside-world)")
  [[ $mail != outside-world && $warehouse != *outside-world* ]]
}

# has_demo: whether the demo's mail server and warehouse are part of the installation.
has_demo() { [[ ",$(profiles)," == *,demo,* || $(profiles) == '*' ]]; }

# The compose files in use.
compose_files() {
  local file
  local IFS=:
  for file in $(setting COMPOSE_FILE docker-compose.yml:docker-compose.override.yml); do [ ! -f "$file" ] || echo "$file"; done
}

# uses_tls: whether the installation is encrypted; then scheme is https, and curl trusts its authority.
uses_tls() { [[ ":$(setting COMPOSE_FILE ''):" == *:docker-compose.tls.yml:* ]]; }
scheme() { if uses_tls; then echo https; else echo http; fi; }
trust_installation() { ! uses_tls || export CURL_CA_BUNDLE="$(setting TLS_FILES deploy/tls/files)/trust/ca.pem"; }

# NAME DEFAULT of each port that the services publish on this machine.
published_ports() {
  compose_files | xargs grep -ohE '\$\{[A-Z_]+_PORT:(-[0-9]+|\?[^}]*)\}:[0-9]+' | sed -E 's/^\$\{([A-Z_]+):(-([0-9]+)|\?.*)\}.*/\1 \3/' | sort -u
}

# The services that are steps: those that take the anchor x-step.
step_services() {
  compose_files | xargs awk '/^  [a-z0-9-]+:/ { name = $1; sub(/:$/, "", name) } /^    <<: \*step/ || /Workers__Steps:/ { print name }' | sort -u
}

# is_scale TEXT: STEP=N with a step that there is.
is_scale() {
  local step=${1%%=*} steps
  steps=$(step_services)
  [[ $1 =~ ^[^=]+=[0-9]+$ ]] || fail "Expected STEP=N after --scale, such as email=3; found '$1'. Steps: $(echo "$steps" | xargs | sed 's/ /, /g')."
  # shellcheck disable=SC2086 # one word each
  printf '%s\n' $steps | grep -qx -e "$step" || fail "Expected a step after --scale, found '$step'$(suggest "$step" $steps) Steps: $(echo "$steps" | xargs | sed 's/ /, /g')."
}

# hold_installation: one command at a time starts or stops the installation. The lock of a command that died is taken over.
# The lock is a link whose target says who holds it: a file would be there for a moment before it says so.
hold_installation() {
  local lock text error holder what began tries=0
  lock=$work/$(project_name).lock
  until error=$(ln -sn "$$ $this_command $(date +%H:%M:%S)" "$lock" 2>&1); do
    text=$(lock_text "$lock")
    # No here-string: older shells write it to the disk, which may be full.
    holder=${text%% *} began=${text##* } what=${text#* }
    what=${what% *}
    if is_command "$holder" "$what"; then
      fail "Another ./dev $what of project '$(project_name)' has been running since $began (process $holder)." \
        "Wait until it ends, or end it with: kill $holder. A second installation needs another COMPOSE_PROJECT_NAME."
    fi
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || no_lock "$lock" "${error##*: }"
    remove_dead_lock "$lock" "$text"
    sleep 0.1
  done
  at_exit "rm -f '$lock'"
}

lock_text() { readlink "$1" 2>/dev/null || cat "$1" 2>/dev/null || true; }

# remove_dead_lock LOCK TEXT: by one command at a time, and only the lock that was read: another command may hold it by now.
remove_dead_lock() {
  [ -n "$2" ] && ln -sn "$$" "$1.takeover" 2>/dev/null || return 0
  [ "$(lock_text "$1")" != "$2" ] || rm -f "$1" || true
  rm -f "$1.takeover"
}

# no_lock LOCK ERROR
no_lock() {
  if [ -L "$1" ] || [ -e "$1" ]; then
    fail "The lock $1 was left by a command that died, and cannot be taken over." \
      "If no other ./dev command runs, remove it: rm -f '$1' '$1.takeover'"
  fi
  fail "The lock $1 cannot be made: $2." \
    "If the disk is full, make room: df -h '$work'. If the folder belongs to another user: sudo chown -R $(id -un) '$work'"
}

# is_command PID NAME: whether that process is a ./dev NAME; process ids come again.
is_command() { [[ $1 =~ ^[0-9]+$ && $(process_arguments "$1") == *"deploy/dev/$2.sh"* ]]; }

# By /proc where there is one: a minimal Debian has no ps.
process_arguments() {
  if [ -r /proc/self/cmdline ]; then
    [ ! -r "/proc/$1/cmdline" ] || tr '\0' ' ' <"/proc/$1/cmdline"
  else
    ps -p "$1" -o args=
  fi 2>/dev/null || true
}

# Whether the engine works on this machine's files and ports, and not over the network or in a virtual machine.
engine_is_here() { [ -z "$(setting DOCKER_HOST '')" ] && [ "$(docker context show 2>/dev/null || echo default)" = default ]; }

# check_room: memory and disk, in MB; the three minimums can be set in the environment. The services take 0.7 GB at rest (docker stats, three email workers).
check_room() {
  local project total available='' disk='' root needs
  project=$(project_name)
  total=$(docker info --format '{{.MemTotal}}') || return 1
  total=$((total / 1048576))
  [ "$total" -ge "${MINIMUM_MEMORY_MB:-2000}" ] ||
    fail "The Docker engine has $total MB of memory; all services together need ${MINIMUM_MEMORY_MB:-2000} MB." \
      "Give it more (Docker Desktop: Settings, Resources), or use a larger machine. MINIMUM_MEMORY_MB=$total ./dev $this_command tries it nevertheless."
  if engine_is_here; then
    root=$(docker info --format '{{.DockerRootDir}}')
    [ ! -d "$root" ] || disk=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024) }')
    [ ! -r /proc/meminfo ] || available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  fi
  needs=${MINIMUM_DISK_MB:-2000}
  # Nothing was built yet: base images and build layers come on top. Another installation's images share theirs.
  docker image inspect "$project-api" >/dev/null 2>&1 || [ -n "$(docker images -q 'orders*-api')" ] || needs=${MINIMUM_DISK_MB:-6000}
  [ -z "$disk" ] || [ "$disk" -ge "$needs" ] ||
    fail "The disk of the Docker engine ($root) has $disk MB left; ./dev $this_command needs $needs MB." \
      "Make room: 'docker system df' shows what Docker uses, 'docker system prune' removes what no container uses. MINIMUM_DISK_MB=$disk ./dev $this_command tries it nevertheless."
  # What runs already is not needed again.
  [ -z "$available" ] || [ -n "$(docker ps -q --filter "label=com.docker.compose.project=$project")" ] ||
    [ "$available" -ge "${MINIMUM_AVAILABLE_MEMORY_MB:-1000}" ] ||
    fail "This machine has $available MB of memory free; all services together need at least ${MINIMUM_AVAILABLE_MEMORY_MB:-1000} MB at rest." \
      "Stop other programs or containers ('docker stats' shows them). MINIMUM_AVAILABLE_MEMORY_MB=$available ./dev $this_command tries it nevertheless."
  note "$total MB of memory${disk:+, $disk MB of disk free}"
}

# check_ports: each published port is free, or held by this installation. All that are taken are named at once.
check_ports() {
  engine_is_here || { note "not checked: the engine is elsewhere"; return; }
  local project host name default port holder taken=() instead=() seen=' ' count=0 they=it
  project=$(project_name)
  host=$(setting BIND_ADDRESS 127.0.0.1)
  [ "$host" != 0.0.0.0 ] || host=127.0.0.1
  while read -r name default; do
    [ "$name" != OUTSIDE_WORLD_PORT ] || has_demo || continue
    port=$(setting "$name" "$default") count=$((count + 1))
    [[ $port =~ ^[0-9]+$ ]] && [ "$port" -ge 1 ] && [ "$port" -le 65535 ] ||
      fail "$name is '$port'; expected a port from 1 to 65535." "Change it in .env or in the environment."
    case $seen in *" $port "*)
      fail "Two settings name port $port, one of them $name." "Change one of them in .env or in the environment: $(published_port_names)." ;;
    esac
    seen+="$port "
    holder=$(port_holder "$host" "$port" "$project")
    [ -n "$holder" ] || continue
    taken+=("Port $port ($name) is taken by $holder.")
    instead+=("$name=$(free_port "$host" "$port" "$seen")")
  done < <(published_ports)
  [ ${#taken[@]} -lt 2 ] || they=them
  [ ${#taken[@]} -eq 0 ] ||
    fail "${taken[@]}" "Stop what holds $they, or use other ports: ${instead[*]} ./dev up (to keep them, write them into .env)."
  note "$count free"
}

# port_holder HOST PORT PROJECT: who holds it; nothing when it is free or held by the project itself.
port_holder() {
  local container program
  container=$(docker ps --filter "publish=$2" --format '{{.Names}} {{.Label "com.docker.compose.project"}}' | head -1)
  if [ -n "$container" ]; then
    [ "${container#* }" = "$3" ] || echo "container ${container% *}"
    return
  fi
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null || return 0
  program=$(ss -Hltnp "sport = :$2" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' | head -1)
  echo "${program:-another program ('ss -ltnp' or 'lsof -i :$2' shows which)}"
}

# free_port HOST PORT SEEN: one ten thousand higher or lower that nobody holds.
free_port() {
  local port=$(($2 > 50000 ? $2 - 10000 : $2 + 10000))
  while [[ $3 == *" $port "* ]] || (exec 3<>"/dev/tcp/$1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

# check_clone: containers of the project that run were started from this folder. Two clones would replace each other's.
check_clone() {
  local project elsewhere
  project=$(project_name)
  elsewhere=$(docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u | grep -vx -F -e "$PWD" -e "$(pwd -P)" | head -1 || true)
  [ -z "$elsewhere" ] ||
    fail "Project '$project' is running already, started from $elsewhere." \
      "Stop it there with ./dev down, or start a second installation beside it: write COMPOSE_PROJECT_NAME=$project-2 and other ports into .env (./dev env --help)."
}

# check_data: data of an earlier run opens with the password of .env. Asked before the build, which takes minutes; new data is made by `start`.
check_data() {
  local project container started='' answer
  project=$(project_name)
  docker volume inspect "${project}_postgres" >/dev/null 2>&1 || { note "none yet"; return; }
  container=$(database_container "$project")
  if [ -z "$container" ]; then
    started=yes
    docker compose up -d --wait --wait-timeout 90 --no-deps postgres || { note "not checked: PostgreSQL is not ready"; return 0; }
    container=$(database_container "$project")
  fi
  # Over the network, because the server trusts its own socket. The password comes by standard input: arguments can be seen by everybody.
  answer=$(setting POSTGRES_OWNER_PASSWORD '' | docker exec -i "$container" bash -c \
    'IFS= read -r PGPASSWORD; export PGPASSWORD; psql -w -h "$(hostname -i | cut -d" " -f1)" -U orders_owner -d orders -Atc "select 1"' 2>&1) || true
  if [[ $answer == *"password authentication failed"* ]]; then
    [ -z "$started" ] || docker compose rm -sf postgres
    fail "$(foreign_data "PostgreSQL does not accept POSTGRES_OWNER_PASSWORD of .env")"
  fi
  note "opens with .env"
}

database_container() { docker ps -q --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.service=postgres | head -1; }

# unhealthy_services: a line for each service that is not as it should be, at most four, with the last line that says why.
unhealthy_services() {
  local id service state code oom broken=() last
  while read -r id; do
    IFS=' ' read -r service state code oom < <(docker inspect --format \
      '{{index .Config.Labels "com.docker.compose.service"}} {{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$id")
    case $state:$code in healthy:* | running:* | exited:0 | created:*) continue ;; esac
    last=$(docker logs --tail 40 "$id" 2>&1 | grep -v '^[[:space:]]*$' | grep -i -E 'exception|error|fail|refused|expected|denied' | tail -1 | cut -c1-200 || true)
    if [ "$oom" = true ]; then last="killed for want of memory (limit mem_limit of docker-compose.yml, or the machine is full)"; fi
    broken+=("$service is $state (exit code $code)${last:+: $last}")
  done < <(docker ps -aq --filter "label=com.docker.compose.project=$(project_name)" --filter label=com.docker.compose.oneoff=False)
  if [ ${#broken[@]} -eq 0 ]; then
    echo "Not everything became healthy within 300 s, and no service says why."
  else
    echo "Not everything became healthy:"
    printf '  %s\n' "${broken[@]:0:3}"
    [ ${#broken[@]} -le 3 ] || echo "  ... and $((${#broken[@]} - 3)) more services"
  fi
}
