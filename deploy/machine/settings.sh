# Sourced after env.sh: what the lines of .env do, for ./dev env --check and ./dev up.

env_names() { [ ! -r .env ] || awk -v list=names -f deploy/machine/dotenv.awk .env; }

# What compose files replace, or pass on by a name without a value.
compose_variables() {
  { compose_files; echo docker-compose.tls.yml deploy/cluster/compose.yml deploy/pgbouncer/compose.yml deploy/observability/compose.yml deploy/email/*.env; } | xargs \
    awk '{ text = $0; while (match(text, /\$\{[A-Za-z_][A-Za-z0-9_]*/)) { print substr(text, RSTART + 2, RLENGTH - 2); text = substr(text, RSTART + RLENGTH) } }
      /^ +[A-Z][A-Z0-9_]*:$/ { print substr($1, 1, length($1) - 1) }' | sort -u
}

# The settings that docker-compose.yml gives a value of its own for each service.
fixed_settings() {
  awk '$1 ~ /^[A-Z][A-Za-z0-9]*__[A-Za-z0-9_]*:$/ { name = substr($1, 1, length($1) - 1); if (index($2, "${" name ":-") != 1) print name }' docker-compose.yml | sort -u
}

# env_problems: a line for each variable of .env that does not do what it seems to.
env_problems() {
  local name known pattern patterns=() exact fixed
  [ -r .env ] || return 0
  known=$(cut -f1 deploy/settings/all.txt | grep -v '^#')
  while read -r pattern; do patterns+=("$pattern"); done < <(grep -F '*' <<<"$known"; printf '%s\n' 'COMPOSE_*' 'DOCKER_*' 'BUILDKIT_*')
  exact=$'\n'$(grep -vF '*' <<<"$known")$'\n'$(compose_variables)$'\n'
  fixed=$'\n'$(fixed_settings)$'\n'
  for name in $(env_names); do
    if [[ $fixed == *$'\n'$name$'\n'* ]]; then
      echo "$name has no effect in .env: docker-compose.yml gives each service its own value."
    elif [[ $exact != *$'\n'$name$'\n'* ]] && ! matches "$name" "${patterns[@]}"; then
      # shellcheck disable=SC2086 # one word each
      echo "No setting '$name'$(suggest "$name" $exact)"
    fi
  done
  for name in $(awk -v list=dollars -f deploy/machine/dotenv.awk .env); do
    echo "$name has a \$ outside single quotes: Compose takes it for the beginning of a variable. Meant as it is: $name='…'."
  done
  has_demo || has_own_world ||
    echo "Nothing takes mails or pick lists: COMPOSE_PROFILES has no 'demo', and SMTP_HOST or WAREHOUSE_URL still names outside-world."
}

# matches NAME PATTERN...
matches() {
  local name=$1 pattern
  shift
  # shellcheck disable=SC2053 # a pattern
  for pattern in "$@"; do [[ $name != $pattern ]] || return 0; done
  return 1
}

# warn_of_env: the same for a command that goes on.
warn_of_env() {
  local problem
  while IFS= read -r problem; do echo "  .env: $problem"; done < <(env_problems) >&2
}

# It needs compose, and no engine.
need_compose() {
  local version
  version=$(docker compose version --short 2>/dev/null) || version=''
  [ -n "$version" ] && is_at_least "${version#v}" "$minimum_compose" ||
    fail "Expected 'docker compose' $minimum_compose or newer, found ${version:-none}: it reads docker-compose.yml and .env." "./dev up installs it on Debian as root; elsewhere: https://docs.docker.com/compose/install/linux/"
}

# show_settings [all]: what each service would get, without its secrets; with `all` the defaults too.
show_settings() {
  local config
  config=$(docker compose config 2>"$work/config.$$") ||
    { cat "$work/config.$$" >&2; rm -f "$work/config.$$"; fail "'docker compose config' refuses docker-compose.yml with this .env."; }
  rm -f "$work/config.$$"
  printf '%s\n' "$config" | awk -v all="${1:-}" -v names="$(env_names | xargs)" -f deploy/machine/settings.awk \
    deploy/settings/all.txt deploy/settings/*.env docker-compose.yml -
}
