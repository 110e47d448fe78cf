-- The store of kubetape: per resource a table of the present and one of the past, and what the sinks need to be exact.

CREATE TABLE k8s.resources (
  resource    text PRIMARY KEY,
  table_name  text NOT NULL UNIQUE,
  api_group   text NOT NULL,
  kind        text NOT NULL,
  columns     jsonb NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE k8s.resources IS 'The resources that have tables: k8s.<table_name> and k8s.<table_name>_history';

CREATE TABLE k8s.sink_offsets (
  topic        text NOT NULL,
  partition    integer NOT NULL,
  next_offset  bigint NOT NULL,
  topic_id     text,
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE k8s.sink_offsets IS 'How far each partition is in the tables: written in the same transaction as the rows. The consumer group''s offsets in Kafka are for displays only';
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
  at         timestamptz NOT NULL DEFAULT now(),
  UNIQUE (topic, partition, "offset")
);
COMMENT ON TABLE k8s.dead_letters IS 'Records that could not become rows, as they lie in Kafka';
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
  PRIMARY KEY (kafka_topic, kafka_partition, kafka_offset)
);
CREATE INDEX event_stream_at ON k8s.event_stream (at);
CREATE INDEX event_stream_object ON k8s.event_stream (resource, namespace, name, at);
COMMENT ON TABLE k8s.event_stream IS 'Facts derived from changes: coverage.gap, collector.started, …';

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

-- lz4 is faster at the same size where the server was built with it.
CREATE FUNCTION k8s.compression() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'pglz' END FROM pg_settings WHERE name = 'default_toast_compression'
$$;

-- The tables of one resource; does nothing where they are there. `columns` is [{"name": …, "type": …, "about": …}, …].
CREATE FUNCTION k8s.ensure_resource(p_resource text, p_table text, p_group text, p_kind text, p_columns jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  history text := p_table || '_history';
  col     record;
BEGIN
  IF EXISTS (SELECT FROM k8s.resources WHERE resource = p_resource) THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('kubetape.ensure_resource'));
  IF EXISTS (SELECT FROM k8s.resources WHERE resource = p_resource) THEN
    RETURN;
  END IF;

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
      PRIMARY KEY (cluster, uid)
    ) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05)
  $ddl$, p_table, k8s.compression());
  EXECUTE format('CREATE INDEX %I ON k8s.%I (namespace, name)', p_table || '_name', p_table);
  EXECUTE format('COMMENT ON TABLE k8s.%I IS %L', p_table, format('The present of %s: one row per object, deleted ones (deleted_at) included until retention', p_resource));
  EXECUTE format('COMMENT ON COLUMN k8s.%I.changed_at IS %L', p_table, 'When the collector saw the last change');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.epoch IS %L', p_table, 'Grows when the API server''s resourceVersions went back (etcd restored)');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.object IS %L', p_table, 'The object as it is, redacted; for a deleted one its last known state');
  FOR col IN SELECT c ->> 'name' AS name, c ->> 'type' AS type, c ->> 'about' AS about FROM jsonb_array_elements(p_columns) AS c LOOP
    IF col.type NOT IN ('text', 'integer', 'text[]') THEN
      RAISE EXCEPTION 'column % of % has the type %, which kubetape does not use', col.name, p_resource, col.type;
    END IF;
    EXECUTE format('ALTER TABLE k8s.%I ADD COLUMN %I %s', p_table, col.name, col.type);
    EXECUTE format('COMMENT ON COLUMN k8s.%I.%I IS %L', p_table, col.name, col.about);
  END LOOP;

  EXECUTE format($ddl$
    CREATE TABLE k8s.%1$I (
      cluster           text NOT NULL,
      uid               uuid NOT NULL,
      epoch             integer NOT NULL,
      resource_version  bigint NOT NULL,
      op                "char" NOT NULL,
      changed_at        timestamptz NOT NULL,
      namespace         text NOT NULL,
      name              text NOT NULL,
      by_manager        text,
      by_operation      text,
      synthetic         boolean NOT NULL,
      snapshot          boolean NOT NULL,
      kafka_partition   integer NOT NULL,
      kafka_offset      bigint NOT NULL,
      object            jsonb COMPRESSION %2$s
    ) PARTITION BY RANGE (changed_at)
  $ddl$, history, k8s.compression());
  EXECUTE format('CREATE INDEX %I ON k8s.%I (uid, epoch, resource_version)', history || '_object', history);
  EXECUTE format('CREATE INDEX %I ON k8s.%I (changed_at)', history || '_time', history);
  EXECUTE format('COMMENT ON TABLE k8s.%I IS %L', history, format('Every change of every one of %s: one row per (cluster, uid, epoch, resource_version)', p_resource));
  EXECUTE format('COMMENT ON COLUMN k8s.%I.op IS %L', history, 'r first seen in a list, c created, u updated, d deleted');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.by_manager IS %L', history, 'Who: the field manager that wrote last; not known of deletions');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.synthetic IS %L', history, 'True for a deletion that was found by comparison, as nobody could watch when it happened');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.snapshot IS %L', history, 'True when the change was seen in a list: changes before it may be missing');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.object IS %L', history, 'The object after the change, redacted; NULL for a synthetic deletion');

  INSERT INTO k8s.resources (resource, table_name, api_group, kind, columns) VALUES (p_resource, p_table, p_group, p_kind, p_columns);
END
$$;

-- The history partition of one day (UTC); does nothing where it is there.
CREATE FUNCTION k8s.ensure_day(p_table text, p_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  history text := p_table || '_history';
  part    text := history || '_p' || to_char(p_day, 'YYYYMMDD');
BEGIN
  IF to_regclass(format('k8s.%I', part)) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('kubetape.ensure_day ' || p_table));
  IF to_regclass(format('k8s.%I', part)) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Attaching takes a weaker lock than creating in place: writers and readers go on.
  EXECUTE format('CREATE TABLE k8s.%I (LIKE k8s.%I INCLUDING ALL)', part, history);
  EXECUTE format('ALTER TABLE k8s.%I ATTACH PARTITION k8s.%I FOR VALUES FROM (%L) TO (%L)', history, part,
                 p_day::timestamp AT TIME ZONE 'UTC', (p_day + 1)::timestamp AT TIME ZONE 'UTC');
END
$$;
