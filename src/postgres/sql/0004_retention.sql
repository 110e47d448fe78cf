-- Retention: what is older than the kept days goes, and nothing else does.

-- Drops the history's partition p_part. What each object still is, or was when the kept days begin, stays: the newest
-- version before p_before, in the default partition, for without it no later moment could be told. Returns how many
-- versions stay; NULL where the partition is gone already.
CREATE FUNCTION k8s.drop_day(p_table text, p_part text, p_before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  history text := p_table || '_history';
  columns text;
  kept    bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('kubetape.retention', 0));
  IF to_regclass(format('k8s.%I', p_part)) IS NULL THEN
    RETURN NULL;
  END IF;
  -- From here on nobody writes to this day, while all others are written and read.
  EXECUTE format('LOCK TABLE k8s.%I IN SHARE MODE', p_part);
  EXECUTE format('CREATE TABLE k8s.retention_kept (LIKE k8s.%I)', history);
  EXECUTE format($q$
    INSERT INTO k8s.retention_kept
    SELECT d.* FROM (SELECT DISTINCT ON (uid, cluster) * FROM k8s.%1$I ORDER BY uid, cluster, changed_at DESC, epoch DESC, resource_version DESC) AS d
     WHERE EXISTS (SELECT FROM k8s.%2$I AS p WHERE p.uid = d.uid AND p.cluster = d.cluster)
       AND NOT EXISTS (SELECT FROM k8s.%3$I AS n
                        WHERE n.uid = d.uid AND n.cluster = d.cluster AND n.changed_at < %4$L
                          AND (n.changed_at, n.epoch, n.resource_version) > (d.changed_at, d.epoch, d.resource_version))
  $q$, p_part, p_table, history, p_before);
  GET DIAGNOSTICS kept = ROW_COUNT;
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = format('k8s.%I', history)::regclass AND attnum > 0 AND NOT attisdropped;
  -- Now everybody waits, for milliseconds.
  EXECUTE format('ALTER TABLE k8s.%I DETACH PARTITION k8s.%I', history, p_part);
  EXECUTE format('INSERT INTO k8s.%1$I (%2$s) SELECT %2$s FROM k8s.retention_kept', history, columns);
  EXECUTE format('DROP TABLE k8s.%I', p_part);
  DROP TABLE k8s.retention_kept;
  RETURN kept;
END
$$;

-- Of the rows that have no day of their own, those from before p_before that say nothing of the kept days any more.
CREATE FUNCTION k8s.sweep_default(p_table text, p_before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  swept bigint;
BEGIN
  EXECUTE format($q$
    DELETE FROM k8s.%1$I AS d
     WHERE d.changed_at < %4$L
       AND (NOT EXISTS (SELECT FROM k8s.%2$I AS p WHERE p.uid = d.uid AND p.cluster = d.cluster)
            OR EXISTS (SELECT FROM k8s.%3$I AS n
                        WHERE n.uid = d.uid AND n.cluster = d.cluster AND n.changed_at < %4$L
                          AND (n.changed_at, n.epoch, n.resource_version) > (d.changed_at, d.epoch, d.resource_version)))
  $q$, p_table || '_history_default', p_table, p_table || '_history', p_before);
  GET DIAGNOSTICS swept = ROW_COUNT;
  RETURN swept;
END
$$;
