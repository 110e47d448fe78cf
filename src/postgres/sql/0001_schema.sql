-- The store of kubetape: per resource a table of the present and one of the past, and what the sinks need to be exact.

COMMENT ON TABLE k8s.schema_migrations IS 'What `kubetape migrate` has applied to this schema';
COMMENT ON COLUMN k8s.schema_migrations.version IS 'Number of the file';
COMMENT ON COLUMN k8s.schema_migrations.name IS 'Name of the file';
COMMENT ON COLUMN k8s.schema_migrations.checksum IS 'SHA-256 of the file: one that was changed afterwards is refused';
COMMENT ON COLUMN k8s.schema_migrations.applied_at IS 'When it was applied';

CREATE TABLE k8s.resources (
  resource    text PRIMARY KEY,
  table_name  text NOT NULL UNIQUE,
  api_group   text NOT NULL,
  kind        text NOT NULL,
  columns     jsonb NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE k8s.resources IS 'The resources that have tables: k8s.<table_name> and k8s.<table_name>_history';
COMMENT ON COLUMN k8s.resources.resource IS 'Plural, with its group for custom resources: pods, certificates.cert-manager.io';
COMMENT ON COLUMN k8s.resources.table_name IS 'Its table of the present; the past is in <table_name>_history, any moment of it in <table_name>_at(time)';
COMMENT ON COLUMN k8s.resources.api_group IS 'API group, empty for the core group';
COMMENT ON COLUMN k8s.resources.kind IS 'Kind, as manifests have it: Pod';
COMMENT ON COLUMN k8s.resources.columns IS 'The columns that only this resource has: name, type, about';
COMMENT ON COLUMN k8s.resources.created_at IS 'When its tables were made';

CREATE TABLE k8s.sink_offsets (
  topic        text NOT NULL,
  partition    integer NOT NULL,
  next_offset  bigint NOT NULL,
  topic_id     text,
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE k8s.sink_offsets IS 'How far each partition is in the tables: written in the same transaction as the rows. The consumer group''s offsets in Kafka are for displays only';
COMMENT ON COLUMN k8s.sink_offsets.topic IS 'Topic in Kafka';
COMMENT ON COLUMN k8s.sink_offsets.partition IS 'Partition of the topic';
COMMENT ON COLUMN k8s.sink_offsets.updated_at IS 'When it last moved';
COMMENT ON COLUMN k8s.sink_offsets.next_offset IS 'The offset of the next record to be written';
COMMENT ON COLUMN k8s.sink_offsets.topic_id IS 'Kafka''s id of the topic: another one means that the topic was created again';

CREATE TABLE k8s.dead_letters (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic      text NOT NULL,
  partition  integer NOT NULL,
  "offset"   bigint NOT NULL,
  key        bytea,
  headers    jsonb NOT NULL,
  value      bytea,
  code       text NOT NULL,
  sqlstate   text,
  message    text NOT NULL,
  written_at timestamptz NOT NULL,
  at         timestamptz NOT NULL DEFAULT now(),
  retried_at timestamptz,
  -- A topic that was created again counts from 0 again.
  UNIQUE (topic, partition, "offset", written_at)
);
COMMENT ON TABLE k8s.dead_letters IS 'Records that could not become rows, as they lie in Kafka';
COMMENT ON COLUMN k8s.dead_letters.id IS 'In the order in which they were set aside';
COMMENT ON COLUMN k8s.dead_letters.topic IS 'Topic in Kafka';
COMMENT ON COLUMN k8s.dead_letters.partition IS 'Partition of the topic';
COMMENT ON COLUMN k8s.dead_letters."offset" IS 'Offset in the partition';
COMMENT ON COLUMN k8s.dead_letters.key IS 'Key of the record, as bytes';
COMMENT ON COLUMN k8s.dead_letters.headers IS 'Headers of the record; what jsonb does not hold is replaced';
COMMENT ON COLUMN k8s.dead_letters.value IS 'Value of the record, as bytes; NULL where even those would not go in';
COMMENT ON COLUMN k8s.dead_letters.sqlstate IS 'Why Postgres rejected it; NULL where it did not get so far';
COMMENT ON COLUMN k8s.dead_letters.message IS 'What is wrong, without any of the content';
COMMENT ON COLUMN k8s.dead_letters.written_at IS 'When the record was written to Kafka';
COMMENT ON COLUMN k8s.dead_letters.at IS 'When it was set aside';
COMMENT ON COLUMN k8s.dead_letters.retried_at IS 'When `kubetape dlq retry` wrote it to the tables after all; NULL while it has not';
COMMENT ON COLUMN k8s.dead_letters.code IS 'RECORD_INVALID: not a change record; ROW_REJECTED: Postgres would not take it (see sqlstate)';

CREATE TABLE k8s.event_stream (
  cluster           text NOT NULL,
  resource          text NOT NULL,
  namespace         text NOT NULL,
  name              text NOT NULL,
  type              text NOT NULL,
  at                timestamptz NOT NULL,
  uid               uuid,
  detail            jsonb NOT NULL,
  kafka_topic       text NOT NULL,
  kafka_partition   integer NOT NULL,
  kafka_offset      bigint NOT NULL,
  -- A topic that was created again counts from 0 again.
  PRIMARY KEY (kafka_topic, kafka_partition, kafka_offset, at)
);
CREATE INDEX event_stream_at ON k8s.event_stream (at);
CREATE INDEX event_stream_gaps ON k8s.event_stream (cluster, resource, at) WHERE type = 'coverage.gap';
CREATE INDEX event_stream_object ON k8s.event_stream (resource, namespace, name, at);
COMMENT ON TABLE k8s.event_stream IS 'Facts derived from changes: coverage.gap, collector.started, …';
COMMENT ON COLUMN k8s.event_stream.cluster IS 'Name of the cluster';
COMMENT ON COLUMN k8s.event_stream.resource IS 'Resource that it is about, as in k8s.resources';
COMMENT ON COLUMN k8s.event_stream.namespace IS 'Namespace; empty where it is about all of them';
COMMENT ON COLUMN k8s.event_stream.name IS 'Name of the object; empty where it is about the whole resource';
COMMENT ON COLUMN k8s.event_stream.type IS 'coverage.gap, deployment.scaled, deployment.image-changed, pod.restarted, pod.failed, secret.changed, …';
COMMENT ON COLUMN k8s.event_stream.at IS 'When the collector said it';
COMMENT ON COLUMN k8s.event_stream.uid IS 'uid of the object; NULL where it is about the whole resource';
COMMENT ON COLUMN k8s.event_stream.detail IS 'What belongs to the type: from, to, reason, by, …';
COMMENT ON COLUMN k8s.event_stream.kafka_topic IS 'Topic in Kafka';
COMMENT ON COLUMN k8s.event_stream.kafka_partition IS 'Partition of the topic';
COMMENT ON COLUMN k8s.event_stream.kafka_offset IS 'Offset in the partition';

CREATE VIEW k8s.gaps AS
SELECT cluster,
       resource,
       namespace,
       detail ->> 'cause' AS cause,
       (detail #>> '{from,ts}')::timestamptz AS from_time,
       (detail #>> '{to,ts}')::timestamptz AS to_time,
       (detail #>> '{to,ts}')::timestamptz - (detail #>> '{from,ts}')::timestamptz AS duration,
       detail #>> '{from,resourceVersion}' AS from_resource_version,
       detail #>> '{to,resourceVersion}' AS to_resource_version,
       (detail #>> '{from,epoch}')::integer AS from_epoch,
       (detail #>> '{to,epoch}')::integer AS to_epoch
  FROM k8s.event_stream
 WHERE type = 'coverage.gap';
COMMENT ON VIEW k8s.gaps IS 'Stretches of time whose changes are known by their net effect only. namespace is empty where all were watched';
COMMENT ON COLUMN k8s.gaps.cluster IS 'Name of the cluster';
COMMENT ON COLUMN k8s.gaps.resource IS 'Resource that was not seen, as in k8s.resources';
COMMENT ON COLUMN k8s.gaps.namespace IS 'Namespace that was not seen; empty where all were';
COMMENT ON COLUMN k8s.gaps.cause IS 'expired: away for longer than the API server keeps; restored: etcd went back; scope-changed: other selectors; snapshot: nobody watches; audit: all was said again';
COMMENT ON COLUMN k8s.gaps.from_time IS 'Until then everything was seen';
COMMENT ON COLUMN k8s.gaps.to_time IS 'From then on everything was seen again';
COMMENT ON COLUMN k8s.gaps.duration IS 'How long it was';
COMMENT ON COLUMN k8s.gaps.from_resource_version IS 'The last resourceVersion before it';
COMMENT ON COLUMN k8s.gaps.to_resource_version IS 'The resourceVersion of the list that ended it';
COMMENT ON COLUMN k8s.gaps.from_epoch IS 'Epoch before it';
COMMENT ON COLUMN k8s.gaps.to_epoch IS 'Epoch after it';

CREATE TABLE k8s.watches (
  cluster           text NOT NULL,
  resource          text NOT NULL,
  namespace         text NOT NULL,
  since             timestamptz NOT NULL,
  seen_until        timestamptz NOT NULL,
  unwatched         interval NOT NULL,
  resource_version  bigint NOT NULL,
  epoch             integer NOT NULL,
  PRIMARY KEY (cluster, resource, namespace)
) WITH (fillfactor = 50);
COMMENT ON TABLE k8s.watches IS 'What the collectors watch, and how far they have come: the time between now and seen_until is not known yet';
COMMENT ON COLUMN k8s.watches.cluster IS 'The name of the cluster';
COMMENT ON COLUMN k8s.watches.resource IS 'What is watched: pods, deployments, certificates.cert-manager.io';
COMMENT ON COLUMN k8s.watches.namespace IS 'Empty where one watch covers all namespaces';
COMMENT ON COLUMN k8s.watches.since IS 'Since when it is recorded';
COMMENT ON COLUMN k8s.watches.seen_until IS 'Everything up to then is recorded. A quiet watch proves once a minute that it is live; one of Events only when something happens';
COMMENT ON COLUMN k8s.watches.unwatched IS 'How much of the time since then lies in gaps (k8s.gaps)';
COMMENT ON COLUMN k8s.watches.resource_version IS 'Everything up to this resourceVersion is recorded';
COMMENT ON COLUMN k8s.watches.epoch IS 'Grows when resourceVersions begin to mean something else';

-- The share of a stretch of time whose every change was seen, as far as it is known by now.
CREATE FUNCTION k8s.coverage(p_from timestamptz DEFAULT '-infinity', p_to timestamptz DEFAULT 'infinity')
RETURNS TABLE (cluster text, resource text, namespace text, from_time timestamptz, to_time timestamptz,
               gaps bigint, unwatched interval, share double precision)
LANGUAGE sql STABLE AS $$
  SELECT w.cluster, w.resource, w.namespace, w.from_time, w.to_time, count(g.from_time), COALESCE(sum(g.until - g.from_time), interval '0'),
         1 - COALESCE(extract(epoch FROM sum(g.until - g.from_time)) / NULLIF(extract(epoch FROM w.to_time - w.from_time), 0), 0)::double precision
    FROM (SELECT watches.cluster, watches.resource, watches.namespace,
                 greatest(since, p_from) AS from_time, least(seen_until, p_to) AS to_time
            FROM k8s.watches) AS w
    LEFT JOIN LATERAL (
         SELECT greatest(gaps.from_time, w.from_time) AS from_time, least(gaps.to_time, w.to_time) AS until
           FROM k8s.gaps
          WHERE gaps.cluster = w.cluster AND gaps.resource = w.resource AND gaps.namespace = w.namespace
            AND gaps.from_time < w.to_time AND gaps.to_time > w.from_time) AS g ON true
   WHERE w.from_time <= w.to_time
   GROUP BY w.cluster, w.resource, w.namespace, w.from_time, w.to_time
$$;
COMMENT ON FUNCTION k8s.coverage IS 'Per watch the share of a stretch of time whose every change was seen, as far as it is known by now: SELECT * FROM k8s.coverage(now() - interval ''7 days'')';

-- lz4 is faster at the same size where the server was built with it.
CREATE FUNCTION k8s.compression() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'pglz' END FROM pg_settings WHERE name = 'default_toast_compression'
$$;

-- The tables of one resource; where they are there, only columns that are missing are added.
-- `p_columns` is [{"name": …, "type": …, "about": …}, …]. Returns the name of the table: `p_table`, unless the dots and
-- dashes of another resource gave that name to something first.
CREATE FUNCTION k8s.ensure_resource(p_resource text, p_table text, p_group text, p_kind text, p_columns jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  t text;
BEGIN
  SELECT table_name INTO t FROM k8s.resources WHERE resource = p_resource AND columns @> p_columns;
  IF FOUND THEN
    RETURN t;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('kubetape.ensure_resource', 0));
  SELECT table_name INTO t FROM k8s.resources WHERE resource = p_resource;
  IF NOT FOUND THEN
    t := p_table;
    IF to_regclass(format('k8s.%I', t)) IS NOT NULL OR to_regclass(format('k8s.%I', t || '_history')) IS NOT NULL THEN
      t := left(p_table, 36) || '_' || left(encode(sha256(convert_to(p_resource, 'UTF8')), 'hex'), 8);
    END IF;
    PERFORM k8s.create_present(t, p_resource);
    PERFORM k8s.create_history(t || '_history', p_resource);
    INSERT INTO k8s.resources (resource, table_name, api_group, kind, columns) VALUES (p_resource, t, p_group, p_kind, '[]');
    PERFORM k8s.ensure_days(t);
    PERFORM k8s.refresh_changes();
  END IF;
  PERFORM k8s.add_columns(t, p_columns);
  PERFORM k8s.add_columns(t || '_history', p_columns);
  PERFORM k8s.create_at(t, p_resource);
  -- An older worker knows fewer columns: what a newer one has added stays.
  UPDATE k8s.resources AS r
     SET columns = p_columns || COALESCE((SELECT jsonb_agg(c) FROM jsonb_array_elements(r.columns) AS c
                                           WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(p_columns) AS n WHERE n ->> 'name' = c ->> 'name')), '[]')
   WHERE resource = p_resource;
  RETURN t;
END
$$;

CREATE FUNCTION k8s.create_present(p_table text, p_resource text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Room in the pages, and no index on what changes with every update, keep updates within their page (HOT).
  EXECUTE format($ddl$
    CREATE TABLE k8s.%1$I (
      cluster           text NOT NULL,
      uid               uuid NOT NULL,
      namespace         text NOT NULL,
      name              text NOT NULL,
      resource_version  bigint NOT NULL,
      epoch             integer NOT NULL,
      created_at        timestamptz,
      changed_at        timestamptz NOT NULL,
      deleted_at        timestamptz,
      object            jsonb COMPRESSION %2$s,
      PRIMARY KEY (uid, cluster)
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05,
            toast.autovacuum_vacuum_scale_factor = 0.05)
  $ddl$, p_table, k8s.compression());
  EXECUTE format('CREATE INDEX %I ON k8s.%I (namespace, name)', p_table || '_name', p_table);
  PERFORM k8s.describe(p_table, format('The present of %s: one row per object, deleted ones (deleted_at) included until retention', p_resource), jsonb_build_object(
    'cluster', 'Name of the cluster',
    'uid', 'metadata.uid: what is created again under the same name has another one',
    'namespace', 'Namespace; empty for what has none',
    'name', 'Name',
    'resource_version', 'resourceVersion of its last change',
    'epoch', 'Grows when resourceVersions begin to mean something else: etcd was restored, or the collector has other selectors',
    'created_at', 'metadata.creationTimestamp',
    'changed_at', 'When the collector saw the last change',
    'deleted_at', 'When the collector saw that it was gone; NULL while it is there',
    'object', 'The object as it is, redacted; for a deleted one its last known state'));
  PERFORM k8s.let_read(p_table);
END
$$;

CREATE FUNCTION k8s.create_history(p_history text, p_resource text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- The key holds the time, by which the table is divided. It is the record's own, so a record that comes again has it
  -- again; and it begins with the uid, so that the past of one object is found by the same index.
  EXECUTE format($ddl$
    CREATE TABLE k8s.%1$I (
      cluster           text NOT NULL,
      uid               uuid NOT NULL,
      epoch             integer NOT NULL,
      resource_version  bigint NOT NULL,
      op                "char" NOT NULL,
      changed_at        timestamptz NOT NULL,
      previous_at       timestamptz,
      namespace         text NOT NULL,
      name              text NOT NULL,
      by_manager        text,
      by_operation      text,
      synthetic         boolean NOT NULL,
      snapshot          boolean NOT NULL,
      kafka_partition   integer NOT NULL,
      kafka_offset      bigint NOT NULL,
      object            jsonb COMPRESSION %2$s,
      PRIMARY KEY (uid, changed_at, epoch, resource_version, cluster)
    ) PARTITION BY RANGE (changed_at)
  $ddl$, p_history, k8s.compression());
  EXECUTE format('CREATE INDEX %I ON k8s.%I (changed_at)', p_history || '_time', p_history);
  PERFORM k8s.describe(p_history, format('Every change of every one of %s: one row per (cluster, uid, epoch, resource_version), in one partition per day (UTC)', p_resource), jsonb_build_object(
    'cluster', 'Name of the cluster',
    'uid', 'metadata.uid: what is created again under the same name has another one',
    'epoch', 'Grows when resourceVersions begin to mean something else: etcd was restored, or the collector has other selectors',
    'resource_version', 'The resourceVersion that the change made',
    'op', 'r first seen in a list, c created, u updated, d deleted',
    'changed_at', 'When the collector saw the change',
    'previous_at', 'changed_at of the version before it; NULL for the first one',
    'namespace', 'Namespace; empty for what has none',
    'name', 'Name',
    'by_manager', 'Who: the field manager that wrote last; not known of deletions',
    'by_operation', 'How: Apply or Update',
    'synthetic', 'True for a deletion that was found by comparison, as nobody could watch when it happened',
    'snapshot', 'True when the change was seen in a list: changes before it may be missing',
    'kafka_partition', 'Partition of the topic in which the record lies',
    'kafka_offset', 'Where the record lies in its partition of the topic',
    'object', 'The object after the change, redacted; NULL for a synthetic deletion'));
  -- Days for which there is no partition, because they are long past, or a clock is wrong.
  EXECUTE format('CREATE TABLE k8s.%I (LIKE k8s.%I INCLUDING ALL)', p_history || '_default', p_history);
  EXECUTE format('ALTER TABLE k8s.%I ATTACH PARTITION k8s.%I DEFAULT', p_history, p_history || '_default');
  EXECUTE format('COMMENT ON TABLE k8s.%I IS %L', p_history || '_default', format('Rows of k8s.%s of days that have no partition: what each object was when the days that are kept begin, and what came too early or too late', p_history));
  PERFORM k8s.let_read(p_history);
  PERFORM k8s.let_read(p_history || '_default');
END
$$;

-- Comments on a table or view and its columns: {"column": "what it holds"}.
CREATE FUNCTION k8s.describe(p_relation text, p_about text, p_columns jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  kind text := CASE (SELECT relkind FROM pg_class WHERE oid = format('k8s.%I', p_relation)::regclass) WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END;
  col  record;
BEGIN
  EXECUTE format('COMMENT ON %s k8s.%I IS %L', kind, p_relation, p_about);
  FOR col IN SELECT key, value FROM jsonb_each_text(p_columns) LOOP
    EXECUTE format('COMMENT ON COLUMN k8s.%I.%I IS %L', p_relation, col.key, col.value);
  END LOOP;
END
$$;

-- The role that may read everything, where there is one: `kubetape migrate` makes it if it may.
CREATE FUNCTION k8s.let_read(p_table text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF to_regrole('kubetape_reader') IS NOT NULL THEN
    EXECUTE format('GRANT SELECT ON k8s.%I TO kubetape_reader', p_table);
  END IF;
END
$$;

-- Everything that there is, and what this user makes later.
CREATE FUNCTION k8s.let_read_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('kubetape.ensure_resource', 0));
  GRANT USAGE ON SCHEMA k8s TO kubetape_reader;
  GRANT SELECT ON ALL TABLES IN SCHEMA k8s TO kubetape_reader;
  ALTER DEFAULT PRIVILEGES IN SCHEMA k8s GRANT SELECT ON TABLES TO kubetape_reader;
END
$$;

CREATE FUNCTION k8s.add_columns(p_table text, p_columns jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  col record;
BEGIN
  FOR col IN SELECT c ->> 'name' AS name, c ->> 'type' AS type, c ->> 'about' AS about FROM jsonb_array_elements(p_columns) AS c LOOP
    IF col.type NOT IN ('text', 'integer', 'timestamptz', 'text[]') THEN
      RAISE EXCEPTION 'column % of % has the type %, which kubetape does not use', col.name, p_table, col.type;
    END IF;
    EXECUTE format('ALTER TABLE k8s.%I ADD COLUMN IF NOT EXISTS %I %s', p_table, col.name, col.type);
    EXECUTE format('COMMENT ON COLUMN k8s.%I.%I IS %L', p_table, col.name, col.about);
  END LOOP;
END
$$;

-- The history partition of one day (UTC); does nothing where it is there.
CREATE FUNCTION k8s.ensure_day(p_table text, p_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  history  text := p_table || '_history';
  part     text := history || '_p' || to_char(p_day, 'YYYYMMDD');
  day_from timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
  day_to   timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  IF to_regclass(format('k8s.%I', part)) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Not an advisory lock: only a lock on a relation makes this session see what others created meanwhile.
  EXECUTE format('LOCK TABLE k8s.%I IN SHARE UPDATE EXCLUSIVE MODE', history);
  IF to_regclass(format('k8s.%I', part)) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Attaching takes a weaker lock than creating in place: writers and readers of the other days go on.
  EXECUTE format('CREATE TABLE k8s.%I (LIKE k8s.%I INCLUDING ALL)', part, history);
  EXECUTE format('COMMENT ON TABLE k8s.%I IS %L', part, format('k8s.%s of %s (UTC)', history, p_day));
  -- Rows of this day that came before their partition.
  EXECUTE format('LOCK TABLE k8s.%I IN ACCESS EXCLUSIVE MODE', history || '_default');
  EXECUTE format('WITH early AS (DELETE FROM k8s.%I WHERE changed_at >= %L AND changed_at < %L RETURNING *) INSERT INTO k8s.%I SELECT * FROM early',
                 history || '_default', day_from, day_to, part);
  EXECUTE format('ALTER TABLE k8s.%I ATTACH PARTITION k8s.%I FOR VALUES FROM (%L) TO (%L)', history, part, day_from, day_to);
END
$$;

-- The partitions that are needed now: from yesterday, where clocks differ and midnight has just passed, to in three days.
CREATE FUNCTION k8s.ensure_days(p_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  FOR ahead IN -1 .. 3 LOOP
    PERFORM k8s.ensure_day(p_table, today + ahead);
  END LOOP;
END
$$;
