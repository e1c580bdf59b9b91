#!/usr/bin/env bash
# Makes the secrets that docker-compose.yml mounts, in deploy/docker/secrets (ignored by git). Files that exist are kept, so a
# second run only adds what is missing. Run as root, because the keys are given to the group that the containers run as.
# The certificates are for trying the system out; bring your own for real use. Losing `keyring` is losing the patients' data.
set -euo pipefail
cd "$(dirname "$0")"

group=65532 # of the image, see Dockerfile
databases="directory referral patientrecord scheduling notification"
umask 077
mkdir -p secrets
chmod 700 secrets
cd secrets

# Only the owner gets into the folder. Compose mounts each file as it is, so inside the folder a file must be readable to the
# user of its container: the database's own is neither root nor ours.
[ -f postgres.password ] || openssl rand -hex 24 >postgres.password
for s in $databases; do
  [ -f "$s.pgpass" ] || echo "postgres:5432:$s:$s:$(openssl rand -hex 24)" >"$s.pgpass"
done

# Signs the call tokens.
[ -f signing.key ] || openssl genpkey -algorithm ed25519 -out signing.key

# Encrypts patient data (data) and makes the search index (index): each an id of 8 hexadecimal digits and 32 bytes.
key_set() {
  local id
  id=$(openssl rand -hex 4)
  printf '{"current": "%s", "keys": {"%s": "%s"}}' "$id" "$id" "$(openssl rand -base64 32)"
}
[ -f keyring ] || printf '{"data": %s, "index": %s}\n' "$(key_set)" "$(key_set)" >keyring

# One authority, and one certificate a service: its DNS name is what its peers hold against their method tables.
[ -f ca.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
  -subj "/CN=tongzhen test authority" -keyout ca.key -out ca.crt 2>/dev/null
for s in $databases gateway cli; do # cli: the commands, which call as a service of that name
  [ -f "$s.crt" ] && continue
  names="DNS:$s"
  [ "$s" != gateway ] || names+=",DNS:localhost,IP:127.0.0.1"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$s" -keyout "$s.key" -out "$s.csr" 2>/dev/null
  openssl x509 -req -in "$s.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -out "$s.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$names") 2>/dev/null
  rm "$s.csr"
done

chmod 644 ./*.crt ./*.pgpass postgres.password
# The services refuse keys that others may read.
for f in keyring ./*.key; do
  [ "$f" = ./ca.key ] || { chgrp $group "$f" && chmod 640 "$f"; }
done
