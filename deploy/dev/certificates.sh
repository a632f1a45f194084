#!/usr/bin/env bash
# make the certificates of docker-compose.tls.yml; keeps what is there and valid.
#
# Usage: ./dev certificates
#
# Makes an authority and a certificate for each server in deploy/tls/files (TLS_FILES names another folder; git ignores it). Those that expire
# within 30 days are made anew. `./dev up --tls` does the same. Own certificates, which are never replaced: put SERVICE/server.pem and SERVICE/server.key
# there, and the authorities into trust/ca.pem; several may be in it, such as the old and the new one.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/tls.sh

[ $# -eq 0 ] || unknown_argument "no argument" "$1"
stage_certificates
