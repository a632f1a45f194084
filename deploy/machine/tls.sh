# Sourced: the certificates of docker-compose.tls.yml. Made by openssl in deploy/tls/files (TLS_FILES), which git ignores; what is there is kept.

tls_file=docker-compose.tls.yml
tls_services=(rabbitmq postgres outside-world api dashboard)

# choose_tls: this and all later commands use docker-compose.tls.yml, because COMPOSE_FILE of .env says so (see remember_tls).
choose_tls() {
  need_override
  ! uses_tls || return 0
  COMPOSE_FILE=$(compose_files | paste -sd: -)
  [[ $COMPOSE_FILE != *observability* ]] ||
    fail "Expected no deploy/observability with --tls, found COMPOSE_FILE=$COMPOSE_FILE: scrapes and traces are in plain text between the containers." "Leave --tls out, or take it out of COMPOSE_FILE."
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

# The address that the ports are published at, beside this machine's own; nothing where it is a name or all of them.
own_address() {
  case $(setting BIND_ADDRESS 127.0.0.1) in 127.0.0.1 | 0.0.0.0 | ::* | *[!0-9a-f.:]*) ;; *) setting BIND_ADDRESS '' ;; esac
}

# lasts CERTIFICATE: for 30 days more.
lasts() { openssl x509 -in "$1" -noout -checkend $((30 * 86400)) >/dev/null 2>&1; }

# is_pair CERTIFICATE KEY: whoever was interrupted between the two has left two that do not fit.
is_pair() { [ "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" = "$(openssl pkey -in "$2" -passin pass: -pubout 2>/dev/null)" ]; }

# names_address CERTIFICATE: it is for the address that the ports are published at.
names_address() {
  local address
  address=$(own_address)
  [ -z "$address" ] || [[ $(openssl x509 -in "$1" -noout -checkip "$address" 2>/dev/null) == *' does match '* ]]
}

# ours CERTIFICATE: ./dev has made it. Another one is an operator's own.
ours() { [[ $(openssl x509 -in "$1" -noout -issuer 2>/dev/null) =~ CN\ *=\ *\"?Orders\\?, ]]; }

# valid FOLDER: certificate and key are there, fit, and are good for 30 days more.
valid() { [ -s "$1/server.pem" ] && lasts "$1/server.pem" && is_pair "$1/server.pem" "$1/server.key" && names_address "$1/server.pem"; }

# stage_certificates: with what an operator has to do, which a stage alone would only log.
stage_certificates() {
  at_exit 'rm -f "$work/own.$$"'
  : >"$work/own.$$"
  stage "Certificates" ensure_certificates
  cat "$work/own.$$"
}

# keep_own FOLDER: what is wrong with an operator's own certificate, which is kept.
keep_own() {
  lasts "$1/server.pem" || echo "Your own certificate $1/server.pem expires within 30 days: renew it. ./dev does not replace it."
  is_pair "$1/server.pem" "$1/server.key" || echo "Your own certificate $1/server.pem does not fit its key, server.key: put the right one there. ./dev does not replace it."
}

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
    valid "$folder/$service" && continue
    if [ -s "$folder/$service/server.pem" ] && ! ours "$folder/$service/server.pem"; then
      keep_own "$folder/$service" >>"$work/own.$$"
      continue
    fi
    [ -s "$folder/authority/ca.key" ] ||
      fail "The certificate $folder/$service/server.pem is missing or expires within 30 days, or is not for its key or BIND_ADDRESS, and the key of its authority is not here." \
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
  # Those of an earlier authority would not fit. An operator's own are for the operator.
  local certificate
  for certificate in "$1"/*/server.pem; do ! ours "$certificate" || rm -f "$certificate"; done
  put "$1/authority/ca.pem" "$1/trust/ca.pem"
}

make_certificate() {
  local folder=$1 service=$2 names address work_folder
  names="DNS:$service,DNS:localhost,IP:127.0.0.1,IP:::1"
  address=$(own_address)
  [ -z "$address" ] || names+=",IP:$address"
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
