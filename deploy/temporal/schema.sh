#!/bin/sh
# Brings Temporal's two databases to the schema of this version of its server. Running it again changes nothing.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_db_password)
export SQL_PASSWORD

bring_up_to_date() { # DATABASE SCHEMA
    sql() { temporal-sql-tool --plugin postgres12 --ep "$DB_HOST" -p 5432 -u "$DB_USER" --db "$@"; }
    sql "$1" create
    sql "$1" setup-schema -v 0.0
    sql "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring_up_to_date "$DB" temporal
bring_up_to_date "$VISIBILITY_DB" visibility
