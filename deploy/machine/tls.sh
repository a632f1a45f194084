# Sourced: the certificates of docker-compose.tls.yml. Made by openssl in deploy/tls/files (TLS_FILES), which git ignores; what is there is kept.

tls_file=docker-compose.tls.yml
tls_services=(rabbitmq postgres outside-world api dashboard)

# choose_tls: this and all later commands use docker-compose.tls.yml, because COMPOSE_FILE of .env says so (see remember_tls).
choose_tls() {
  need_override
  ! uses_tls || return 0
  COMPOSE_FILE=$(compose_files | paste -sd: -)
  case $COMPOSE_FILE in *pgbouncer* | *cluster*)
    fail "Expected no PgBouncer and no cluster with --tls, found COMPOSE_FILE=$COMPOSE_FILE: their parts have no certificates." "Leave --tls out, or take them out of COMPOSE_FILE." ;;
  esac
  export COMPOSE_FILE=$COMPOSE_FILE:$tls_file
}

# Older ones would publish the ports in plain text beside those with TLS.
need_override() {
  local version
  version=$(docker compose version --short 2>/dev/null) || version=''
  [ -z "$version" ] || is_at_least "${version#v}" 2.24.4 || fail "Expected 'docker compose' 2.24.4 or newer with --tls, found $version: it reads !override."
}

# remember_tls: else the next ./dev up without --tls would start everything in plain text again.
remember_tls() {
  local kept
  kept=$(awk -v want=COMPOSE_FILE -f deploy/machine/dotenv.awk .env)
  [[ :$kept: != *:$tls_file:* ]] || return 0
  [ -z "$kept" ] || fail "Expected COMPOSE_FILE in .env to end in :$tls_file, found $kept." "Change it there: COMPOSE_FILE=$kept:$tls_file"
  printf '# Everything encrypted, by ./dev up --tls. Without this line it is not, after the next ./dev up.\nCOMPOSE_FILE=%s\n' "$COMPOSE_FILE" >>.env
}

tls_folder() { setting TLS_FILES deploy/tls/files; }

# valid CERTIFICATE: it is there, and for 30 days more.
valid() { [ -s "$1" ] && openssl x509 -in "$1" -noout -checkend $((30 * 86400)) >/dev/null 2>&1; }

# ensure_certificates: an authority for ten years, a certificate of a year for each server. Others are made before the old ones expire.
ensure_certificates() {
  local folder service made=()
  command -v openssl >/dev/null || fail "Expected openssl, found none. Install it (on Debian: apt-get install openssl)."
  folder=$(tls_folder)
  mkdir -p "$folder" && chmod 700 "$folder" || fail "The folder $folder for certificates cannot be made."
  # Readable for the users of the containers; on this machine nobody else gets through the folder above.
  mkdir -p "$folder/trust" "$folder/authority"
  chmod 755 "$folder/trust"
  [ -s "$folder/trust/ca.pem" ] || make_authority "$folder"
  for service in "${tls_services[@]}"; do
    valid "$folder/$service/server.pem" && continue
    [ -s "$folder/authority/ca.key" ] ||
      fail "The certificate $folder/$service/server.pem is missing or expires within 30 days, and the key of its authority is not here." \
        "Put a new certificate and its key (server.key) there, or remove $folder/trust: then ./dev makes an authority and all certificates."
    make_certificate "$folder" "$service"
    made+=("$service")
  done
  note "${#made[@]} made"
  [ ${#made[@]} -eq 0 ] || echo "New certificates: ${made[*]}. Running services take them by: docker compose restart ${made[*]}"
}

make_authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 -subj "/CN=Orders, $(project_name)" \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$1/authority/ca.key" -out "$1/authority/ca.pem"
  chmod 600 "$1/authority/ca.key"
  # Those of another authority would not fit.
  rm -f "$1"/*/server.pem
  put "$1/authority/ca.pem" "$1/trust/ca.pem"
}

make_certificate() {
  local folder=$1 service=$2 names work_folder
  names="DNS:$service,DNS:localhost,IP:127.0.0.1,IP:::1"
  # The address that the ports are published at.
  case $(setting BIND_ADDRESS 127.0.0.1) in 127.0.0.1 | 0.0.0.0 | ::* | *[!0-9a-f.:]*) ;; *) names+=",IP:$(setting BIND_ADDRESS '')" ;; esac
  work_folder=$(mktemp -d "$folder/authority/new.XXXXXX")
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=$service" -keyout "$work_folder/key" -out "$work_folder/request"
  printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n' "$names" >"$work_folder/extensions"
  openssl x509 -req -in "$work_folder/request" -CA "$folder/authority/ca.pem" -CAkey "$folder/authority/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -days 365 -sha256 -extfile "$work_folder/extensions" -out "$work_folder/certificate"
  mkdir -p "$folder/$service"
  chmod 755 "$folder/$service"
  put "$work_folder/key" "$folder/$service/server.key"
  put "$work_folder/certificate" "$folder/$service/server.pem"
  rm -rf "$work_folder"
}

# put FROM TO: as a whole; whoever reads meanwhile finds the old file or the new one.
put() { cp "$1" "$2.new" && chmod 644 "$2.new" && mv "$2.new" "$2"; }
