#!/usr/bin/env bash
# Runs once, on the database server's first start: one role and one database a service, and nobody may enter another's.
# The passwords come from the same files that the services read.
set -euo pipefail

for service in directory referral patientrecord scheduling notification; do
  # host:port:database:user:password, one line
  password=$(cut -d: -f5 "/run/secrets/$service.pgpass")
  # Through stdin, so that the password is in no process list.
  psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<SQL
CREATE ROLE $service LOGIN PASSWORD '$password';
CREATE DATABASE $service OWNER $service;
REVOKE ALL ON DATABASE $service FROM PUBLIC;
SQL
done
