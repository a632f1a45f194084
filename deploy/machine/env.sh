# Sourced: .env, the secrets of this installation. Made once, then only added to: a changed password would lock everybody out
# of the data that the old one protects.

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
url_safe() { tr '+/' '-_' | tr -d '='; }

# Every ${NAME:?…} of docker-compose.yml, of the cluster, of the pooler and of Prometheus' file is something .env must have. A new step's passwords are made here without being listed.
required_settings() { grep -oh '\${[A-Z0-9_]*:?' docker-compose.yml deploy/cluster/compose.yml deploy/pgbouncer/compose.yml deploy/observability/compose.yml | sed 's/^\${//; s/:?$//' | sort -u; }

new_value() {
  case $1 in
    ORDERS_API_KEY) echo "ok_$(random 32 | url_safe)" ;;
    ORDERS_OPERATOR_KEY) echo "op_$(random 32 | url_safe)" ;;
    RABBITMQ_COOKIE | AUDIT_SIGNING_KEY | TELEMETRY_KEY) random 32 | url_safe ;;
    WAREHOUSE_SECRET) echo "whsec_$(random 32)" ;;
    *_PASSWORD) random 24 | url_safe ;;
    PERSONAL_DATA_SECRET) random 32 | url_safe ;;
    *) fail "docker-compose.yml requires $1, and ./dev env does not know how to make one up. Add $1=… to .env." ;;
  esac
}

# The settings that .env lacks, one a line.
missing_settings() {
  local name
  for name in $(required_settings); do [ -n "$(setting "$name" '')" ] || echo "$name"; done
}

# Compose insists on every setting even to stop or to show logs. Any value will do there; a new .env would hide that the old one is lost.
excuse_missing_settings() {
  local name
  for name in $(missing_settings); do export "$name=unused"; done
}

# Data opens with the password that it was made with: better to say so now than to let every service fail to log in.
refuse_foreign_data() {
  local name volume
  for name in POSTGRES_OWNER_PASSWORD:postgres RABBITMQ_ADMIN_PASSWORD:rabbitmq; do
    volume=$(project_name)_${name#*:} name=${name%:*}
    [ -z "$(setting "$name" '')" ] && docker volume inspect "$volume" >/dev/null 2>&1 || continue
    [ -f .env ] || fail "$(foreign_data "volume $volume exists, and this clone has no .env")"
    fail "$(foreign_data "volume $volume exists, and .env has no $name")"
  done
}

ensure_env() {
  local name value added=0
  [ ! -e .env ] || { [ -r .env ] && [ -w .env ]; } ||
    fail "User $(id -un) may not read and write .env: $(ls -l .env)." "Was an earlier command run with sudo? Then: sudo chown $(id -un) .env"
  refuse_foreign_data
  [ -f .env ] || (umask 077; printf '# Secrets of this installation, made by ./dev env. Not for the repository.\n' >.env)
  chmod 600 .env
  # A last line without its newline would swallow the next setting.
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  for name in $(required_settings); do
    [ -z "$(setting "$name" '')" ] || continue
    value=$(new_value "$name")
    echo "$name=$value" >>.env
    added=$((added + 1))
  done
  # The demo's mail server and warehouse are for whoever tries the system: who has others of their own gets none.
  says_profiles || [ -n "${COMPOSE_PROFILES+set}" ] || echo "COMPOSE_PROFILES=$(profiles)" >>.env
  note "$added settings added"
}
