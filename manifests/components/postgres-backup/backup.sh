#!/bin/sh
# Dumps the database into a file, and keeps the newest ones.
#   in    DATABASE_URL_FILE, BACKUP_DIR, BACKUP_KEEP (how many)
#   out   $BACKUP_DIR/kubetape-<time>.dump, whole or not there; exit code 0 only when pg_restore can read it
# A dump is one snapshot: the rows and the sinks' positions in Kafka belong together.
set -eu
umask 077
file="$BACKUP_DIR/kubetape-$(date -u +%Y%m%dT%H%M%SZ).dump"
trap 'rm -f "$file.partial"' EXIT
pg_dump --dbname="$(cat "$DATABASE_URL_FILE")" --format=custom --schema=k8s --no-owner --file="$file.partial"
pg_restore --list "$file.partial" > /dev/null
sync "$file.partial"
mv "$file.partial" "$file"
echo "$(basename "$file"): $(wc -c < "$file") bytes"
ls -1 "$BACKUP_DIR"/kubetape-*.dump | sort -r | tail -n "+$((BACKUP_KEEP + 1))" | while read -r old; do
  rm -f "$old"
  echo "$(basename "$old") is older than the newest $BACKUP_KEEP: removed"
done
