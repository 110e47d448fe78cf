-- Topics of any JSON, each in a table of its own; and files that were loaded into topics.

CREATE TABLE k8s.message_topics (
  topic       text PRIMARY KEY,
  table_name  text NOT NULL UNIQUE,
  created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE k8s.message_topics IS 'The topics of `kubetape sink --topic`: k8s.<table_name>';

-- The table of a topic; does nothing where it is there. Returns its name: `p_table`, unless something else has that name.
CREATE FUNCTION k8s.ensure_messages(p_topic text, p_table text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t text;
BEGIN
  SELECT table_name INTO t FROM k8s.message_topics WHERE topic = p_topic;
  IF FOUND THEN
    RETURN t;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('kubetape.ensure_resource', 0));
  SELECT table_name INTO t FROM k8s.message_topics WHERE topic = p_topic;
  IF FOUND THEN
    RETURN t;
  END IF;
  t := p_table;
  IF to_regclass(format('k8s.%I', t)) IS NOT NULL OR to_regproc(format('k8s.%I', t)) IS NOT NULL THEN
    t := left(p_table, 40) || '_' || left(encode(sha256(convert_to(p_topic, 'UTF8')), 'hex'), 8);
  END IF;
  -- A topic that was created again counts from 0 again.
  EXECUTE format($ddl$
    CREATE TABLE k8s.%1$I (
      topic        text NOT NULL,
      partition    integer NOT NULL,
      "offset"     bigint NOT NULL,
      key          text,
      value        jsonb COMPRESSION %2$s,
      recorded_at  timestamptz NOT NULL,
      PRIMARY KEY (topic, partition, "offset", recorded_at)
    )
  $ddl$, t, k8s.compression());
  EXECUTE format('CREATE INDEX %I ON k8s.%I (recorded_at)', t || '_time', t);
  EXECUTE format('COMMENT ON TABLE k8s.%I IS %L', t, format('The records of the topic %s, each once', p_topic));
  EXECUTE format('COMMENT ON COLUMN k8s.%I.value IS %L', t, 'What the record says; NULL for a tombstone');
  EXECUTE format('COMMENT ON COLUMN k8s.%I.recorded_at IS %L', t, 'When the record was written to Kafka');
  INSERT INTO k8s.message_topics (topic, table_name) VALUES (p_topic, t);
  RETURN t;
END
$$;

CREATE TABLE k8s.load_jobs (
  topic        text NOT NULL,
  sha256       text NOT NULL,
  file         text NOT NULL,
  format       text NOT NULL CHECK (format IN ('csv', 'ndjson')),
  bytes        bigint NOT NULL,
  status       text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
  records      bigint NOT NULL DEFAULT 0,
  attempts     integer NOT NULL DEFAULT 1,
  message      text,
  started_at   timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz,
  PRIMARY KEY (topic, sha256)
);
COMMENT ON TABLE k8s.load_jobs IS 'The files of `kubetape load`, by their content: one that is done is not loaded again';
COMMENT ON COLUMN k8s.load_jobs.records IS 'Records of the file that are in the topic';
COMMENT ON COLUMN k8s.load_jobs.message IS 'Why it failed';

COMMENT ON COLUMN k8s.load_jobs.topic IS 'Topic in Kafka into which it goes';
COMMENT ON COLUMN k8s.load_jobs.sha256 IS 'SHA-256 of the file';
COMMENT ON COLUMN k8s.load_jobs.file IS 'Name of the file';
COMMENT ON COLUMN k8s.load_jobs.format IS 'How the file is read';
COMMENT ON COLUMN k8s.load_jobs.bytes IS 'Size of the file';
COMMENT ON COLUMN k8s.load_jobs.status IS 'How far it has come';
COMMENT ON COLUMN k8s.load_jobs.attempts IS 'How often it was begun';
COMMENT ON COLUMN k8s.load_jobs.started_at IS 'When it was begun';
COMMENT ON COLUMN k8s.load_jobs.finished_at IS 'When it was done; NULL while it is not';
COMMENT ON COLUMN k8s.message_topics.topic IS 'Topic in Kafka, without the prefix';
COMMENT ON COLUMN k8s.message_topics.table_name IS 'Its table in this schema';
COMMENT ON COLUMN k8s.message_topics.created_at IS 'When its table was made';
