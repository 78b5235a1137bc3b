#!/bin/sh
# The account Electric reads with: it may follow the log and reads the one table that the cloud service grants it.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$ELECTRIC_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE electric LOGIN REPLICATION PASSWORD :'password';
GRANT CONNECT ON DATABASE homefield TO electric;
SQL
