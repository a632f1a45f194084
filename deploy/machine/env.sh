# Sourced: .env, the secrets of this installation. Made once, then only added to: a changed password would lock everybody out
# of the data that the old one protects.

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
url_safe() { tr '+/' '-_' | tr -d '='; }

# Every ${NAME:?…} of docker-compose.yml, of the cluster and of the pooler is something .env must have. A new step's passwords are made here without being listed.
required_settings() { grep -oh '\${[A-Z0-9_]*:?' docker-compose.yml deploy/cluster/compose.yml deploy/pgbouncer/compose.yml | sed 's/^\${//; s/:?$//' | sort -u; }

new_value() {
  case $1 in
    ORDERS_API_KEY) echo "ok_$(random 32 | url_safe)" ;;
    ORDERS_OPERATOR_KEY) echo "op_$(random 32 | url_safe)" ;;
    RABBITMQ_COOKIE) random 24 | url_safe ;;
    WAREHOUSE_SECRET) echo "whsec_$(random 32)" ;;
    *_PASSWORD) random 24 | url_safe ;;
    *) fail "docker-compose.yml requires $1, and ./dev env does not know how to make one up. Add $1=… to .env." ;;
  esac
}

# New passwords do not open old data: better to say so now than to let every service fail to log in.
refuse_foreign_data() {
  local volume
  volume=$(setting COMPOSE_PROJECT_NAME orders)_postgres
  [ -f .env ] || ! docker volume inspect "$volume" >/dev/null 2>&1 ||
    fail "Expected .env beside the data in volume $volume, found none: the passwords of that data are lost with it." \
      "Put .env back, or remove the data with ./dev down --volumes, or set COMPOSE_PROJECT_NAME to have a second installation."
}

ensure_env() {
  local name value added=0
  refuse_foreign_data
  [ -f .env ] || (umask 077; printf '# Secrets of this installation, made by ./dev env. Not for the repository.\n' >.env)
  chmod 600 .env
  # A last line without its newline would swallow the next setting.
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  for name in $(required_settings); do
    grep -q "^$name=..*" .env && continue
    value=$(new_value "$name")
    echo "$name=$value" >>.env
    added=$((added + 1))
  done
  note "$added settings added"
}
