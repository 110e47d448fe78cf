-- Asking the past: any table as it was, what changed between two versions, and all changes in one view.

-- The elements of an object or a list, each with its segment of a path: `.name`, `["app.kubernetes.io/name"]`, `[web]`.
-- Elements of lists go by what identifies them, as the API server merges them.
CREATE FUNCTION k8s.parts(p_value jsonb, p_field text) RETURNS TABLE (segment text, field text, part jsonb) LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN key ~ '^[A-Za-z_$][A-Za-z0-9_$/-]*$' THEN '.' || key ELSE '["' || key || '"]' END, key, value
    FROM jsonb_each(CASE jsonb_typeof(p_value) WHEN 'object' THEN p_value END)
  UNION ALL
  SELECT '[' || id || CASE nth WHEN 1 THEN '' ELSE '#' || nth END || ']', '', value
    FROM (
      SELECT value, id, row_number() OVER (PARTITION BY id ORDER BY at) AS nth
        FROM (
          SELECT value, at, COALESCE(left(CASE
                   WHEN jsonb_typeof(value) <> 'object' THEN value #>> '{}'
                   WHEN p_field = 'volumeMounts' THEN value ->> 'mountPath'
                   WHEN p_field = 'volumeDevices' THEN value ->> 'devicePath'
                   WHEN p_field = 'ports' THEN COALESCE(value ->> 'containerPort', value ->> 'port') || '/' || COALESCE(value ->> 'protocol', 'TCP')
                   WHEN p_field = 'ownerReferences' THEN value ->> 'uid'
                   WHEN p_field IN ('tolerations', 'envFrom', 'sources') THEN value::text
                   WHEN p_field = 'taints' THEN concat_ws('/', value ->> 'key', value ->> 'effect')
                   ELSE COALESCE(value ->> 'name', value ->> 'type', value ->> 'key', value ->> 'ip', value ->> 'hostname', value ->> 'conditionType')
                 END, 128), (at - 1)::text) AS id
            FROM jsonb_array_elements(CASE jsonb_typeof(p_value) WHEN 'array' THEN p_value END) WITH ORDINALITY AS e (value, at)
        ) AS identified
    ) AS numbered
$$;

-- What changes without anything having happened: bookkeeping, heartbeats, and what another change brings about by itself.
CREATE FUNCTION k8s.is_noise(p_path text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT p_path ~ ('^(metadata\.(managedFields|resourceVersion|generation|selfLink)'
    || '|metadata\.annotations\["?(kubectl\.kubernetes\.io/last-applied-configuration|deployment\.kubernetes\.io/.*|deprecated\.daemonset\..*'
    || '|control-plane\.alpha\.kubernetes\.io/leader|endpoints\.kubernetes\.io/last-change-trigger-time|autoscaling\.alpha\.kubernetes\.io/(current-metrics|conditions))"?\]'
    || '|status(\..*)?\.(observedGeneration|collisionCount|last(Heartbeat|Probe|Update|Transition|Reconcile|Sync)Time|reconciledAt|refreshTime)'
    || '|status\.(hostIP|hostIPs|startTime|images|currentMetrics|currentCPUUtilizationPercentage|lastScaleTime)'
    || '|status\..*\.(containerID|imageID|startedAt|finishedAt)'
    || '|spec\.(renewTime|acquireTime)'
    || '|(series\.lastObservedTime|deprecatedFirstTimestamp|deprecatedLastTimestamp|firstTimestamp|lastTimestamp))($|[.[])')
$$;

CREATE FUNCTION k8s.diff(before jsonb, after jsonb) RETURNS TABLE (path text, before jsonb, after jsonb) LANGUAGE sql IMMUTABLE AS $$
  WITH RECURSIVE d (path, field, b, a) AS (
    SELECT '', '', $1, $2 WHERE $1 IS DISTINCT FROM $2
    UNION ALL
    SELECT ltrim(d.path || p.segment, '.'), p.field, p.b, p.a
      FROM d CROSS JOIN LATERAL (
        SELECT segment, COALESCE(x.field, y.field) AS field, x.part AS b, y.part AS a
          FROM k8s.parts(d.b, d.field) AS x FULL JOIN k8s.parts(d.a, d.field) AS y USING (segment)
         WHERE x.part IS DISTINCT FROM y.part
      ) AS p
     WHERE jsonb_typeof(d.b) = jsonb_typeof(d.a) AND jsonb_typeof(d.b) IN ('object', 'array')
       AND NOT d.b @> '{"redacted": true}' AND NOT d.a @> '{"redacted": true}'
       AND NOT k8s.is_noise(ltrim(d.path || p.segment, '.'))
  )
  SELECT d.path,
         CASE WHEN d.b @> '{"redacted": true}' THEN '"*** (before)"' ELSE d.b END,
         CASE WHEN d.a @> '{"redacted": true}' THEN '"*** (after)"' ELSE d.a END
    FROM d
   WHERE NOT (jsonb_typeof(d.b) IS NOT DISTINCT FROM jsonb_typeof(d.a) AND jsonb_typeof(d.b) IN ('object', 'array'))
      OR d.b @> '{"redacted": true}' OR d.a @> '{"redacted": true}'
   ORDER BY d.path
$$;
COMMENT ON FUNCTION k8s.diff(jsonb, jsonb) IS 'What differs between two versions of an object, noise left out: one row per path; before is NULL for what came, after for what went';

CREATE FUNCTION k8s.diff(uid uuid, rv_from bigint, rv_to bigint DEFAULT NULL) RETURNS TABLE (path text, before jsonb, after jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
  r     record;
  known boolean;
  rvs   bigint[];
  b     jsonb;
  a     jsonb;
BEGIN
  FOR r IN SELECT table_name AS t FROM k8s.resources LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM k8s.%I AS p WHERE p.uid = $1)', r.t) INTO known USING $1;
    CONTINUE WHEN NOT known;
    EXECUTE format(
      'SELECT array_agg(h.resource_version ORDER BY h.epoch, h.resource_version),
              (array_agg(h.object ORDER BY h.epoch DESC) FILTER (WHERE h.resource_version = $2))[1],
              (array_agg(h.object ORDER BY h.epoch DESC, h.resource_version DESC) FILTER (WHERE h.resource_version = $3 OR $3 IS NULL))[1]
         FROM k8s.%I AS h WHERE h.uid = $1', r.t || '_history') INTO rvs, b, a USING $1, $2, $3;
    IF NOT rv_from = ANY (rvs) OR NOT COALESCE(rv_to, rvs[1]) = ANY (rvs) THEN
      RAISE EXCEPTION 'k8s.%_history has no version % of %', r.t, CASE WHEN rv_from = ANY (rvs) THEN rv_to ELSE rv_from END, $1
        USING ERRCODE = 'no_data_found', HINT = format('It has %s versions from %s to %s.', cardinality(rvs), rvs[1], rvs[cardinality(rvs)]);
    END IF;
    RETURN QUERY SELECT * FROM k8s.diff(b, a);
    RETURN;
  END LOOP;
  RAISE EXCEPTION 'nothing was recorded of %', $1 USING ERRCODE = 'no_data_found', HINT = 'k8s.changes has the uid of every object.';
END
$$;
COMMENT ON FUNCTION k8s.diff(uuid, bigint, bigint) IS 'What differs between two recorded versions of an object; without rv_to up to its newest one';

-- `v42 → v43` where the repository stays.
CREATE FUNCTION k8s.image_change(p_before text, p_after text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN b[1] = a[1] THEN COALESCE(NULLIF(b[2], ''), 'latest') || ' → ' || COALESCE(NULLIF(a[2], ''), 'latest') ELSE p_before || ' → ' || p_after END
    FROM (SELECT regexp_match(p_before, '^(.+?)(?:[:@]([^/]+))?$') AS b, regexp_match(p_after, '^(.+?)(?:[:@]([^/]+))?$') AS a) AS m
$$;

-- `a → b` where both are short scalars, else `changed`.
CREATE FUNCTION k8s.arrow(p_before jsonb, p_after jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN jsonb_typeof(p_before) IN ('object', 'array') OR jsonb_typeof(p_after) IN ('object', 'array')
                OR length(p_before #>> '{}') > 48 OR length(p_after #>> '{}') > 48 THEN 'changed'
              ELSE COALESCE(NULLIF(p_before #>> '{}', ''), '""') || ' → ' || COALESCE(NULLIF(p_after #>> '{}', ''), '""') END
$$;

-- One difference in words, and how important it is; NULL for what another phrase says.
CREATE FUNCTION k8s.phrase(p_path text, p_before jsonb, p_after jsonb, p_object jsonb, OUT rank integer, OUT words text) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  sign text := CASE WHEN p_before IS NULL THEN '+' WHEN p_after IS NULL THEN '-' ELSE '' END;
  id   text;
  last text := regexp_replace(p_path, '^.*[.[]"?([^]."[]+)"?\]?$', '\1');
BEGIN
  IF p_path ~ '^metadata\.(labels|annotations)[.[]' THEN
    id := regexp_replace(p_path, '^metadata\.(labels|annotations)\.?(?:\["(.*)"\])?', '\2');
    rank := 80;
    words := sign || CASE WHEN p_path LIKE 'metadata.labels%' THEN 'label ' ELSE 'annotation ' END || id
      || CASE sign WHEN '+' THEN CASE WHEN length(p_after #>> '{}') <= 48 THEN '=' || (p_after #>> '{}') ELSE '' END WHEN '-' THEN '' ELSE ' ' || k8s.arrow(p_before, p_after) END;
  ELSIF p_path = 'metadata.deletionTimestamp' THEN
    rank := 1;
    words := 'deletion begun';
  ELSIF p_path = 'metadata.deletionGracePeriodSeconds'
     OR p_path ~ '^status\.(conditions|(init|ephemeral)?[cC]ontainerStatuses|podIPs|message|(current|update)Revision)$' AND sign = '+'
     OR COALESCE(p_before, p_after) = '0' AND sign <> '' AND p_path LIKE 'status.%' THEN
    NULL;
  ELSIF p_path ~ '^(data|binaryData|stringData)[.[]' THEN
    rank := 10;
    words := CASE sign WHEN '' THEN '~' ELSE sign END || regexp_replace(p_path, '^[A-Za-z]+(?:\.|\["(.*)"\])', '\1')
      || CASE WHEN sign = '' AND k8s.arrow(p_before, p_after) <> 'changed' THEN ' ' || k8s.arrow(p_before, p_after) ELSE '' END;
  ELSIF p_path IN ('status.phase', 'status.reason', 'reason') THEN
    rank := 5;
    words := CASE sign WHEN '' THEN k8s.arrow(p_before, p_after) ELSE COALESCE(p_after, p_before) #>> '{}' END;
  ELSIF p_path = 'status.podIP' AND sign = '+' THEN
    rank := 9;
    words := 'IP ' || (p_after #>> '{}');
  ELSIF p_path ~ '^status\.conditions\[(ContainersReady|Ready|Initialized|PodReadyToStartContainers)\]' AND p_object ->> 'kind' = 'Pod' THEN
    IF p_path ~ '^status\.conditions\[Ready\](\.status)?$' THEN
      rank := 6;
      words := CASE COALESCE(p_after ->> 'status', p_after #>> '{}') WHEN 'True' THEN 'not ready → ready' ELSE 'ready → not ready' END;
    END IF;
  ELSIF p_path ~ '\.restartCount$' THEN
    rank := 8;
    words := 'restarts ' || k8s.arrow(p_before, p_after) || COALESCE(' (' || (
      SELECT c #>> '{lastState,terminated,reason}' FROM jsonb_array_elements(p_object #> '{status,containerStatuses}') AS c
       WHERE p_path LIKE '%[' || (c ->> 'name') || '].restartCount') || ')', '');
  ELSIF p_path ~ 'tatuses\[.*\]\.state\.(waiting|terminated)(\.reason)?$' THEN
    rank := 7;
    words := CASE WHEN p_after IS NULL THEN NULL WHEN last = 'reason' THEN p_after #>> '{}' ELSE p_after ->> 'reason' END;
  ELSIF p_path ~ 'tatuses\[.*\]\.(state|lastState|ready|started)(\.|$)' THEN
    NULL;
  ELSIF p_path ~ 'ontainers\[[^]]*\]\.image$' AND sign = '' THEN
    rank := 2;
    words := 'image ' || k8s.image_change(p_before #>> '{}', p_after #>> '{}');
  ELSIF p_path ~ 'ontainers\[[^]]*\]\.env\[[^]]*\]' THEN
    rank := 4;
    id := regexp_replace(p_path, '^.*\.env\[([^]]*)\].*$', '\1');
    words := CASE WHEN p_path ~ '\]\.env\[[^]]*\]$' THEN sign || 'env ' || id
                  WHEN last <> 'value' OR sign <> '' OR id ~* 'pass|secret|token|key|credential' THEN 'env ' || id || ' changed'
                  ELSE 'env ' || id || ' ' || k8s.arrow(p_before, p_after) END;
  ELSIF p_path ~ '\.resources\.(limits|requests)[.[]' THEN
    rank := 4;
    words := sign || last || CASE WHEN p_path ~ '\.resources\.limits' THEN ' limit ' ELSE ' request ' END
      || CASE sign WHEN '' THEN k8s.arrow(p_before, p_after) ELSE COALESCE(p_after, p_before) #>> '{}' END;
  ELSIF p_path = 'spec.replicas' THEN
    rank := 3;
    words := 'replicas ' || CASE sign WHEN '' THEN k8s.arrow(p_before, p_after) ELSE COALESCE(p_after, p_before) #>> '{}' END;
  ELSIF p_path = 'spec.nodeName' AND sign = '+' THEN
    rank := 5;
    words := 'scheduled on ' || (p_after #>> '{}');
  ELSIF p_path ~ '^status\.(ready|available|updated|unavailable|current|terminating)?[rR]eplicas$' THEN
    rank := CASE p_path WHEN 'status.readyReplicas' THEN 20 ELSE 30 END;
    words := CASE p_path WHEN 'status.replicas' THEN 'running' ELSE lower(replace(last, 'Replicas', '')) END
      || ' ' || COALESCE(p_before #>> '{}', '0') || ' → ' || COALESCE(p_after #>> '{}', '0');
  ELSIF p_path ~ '^status\.conditions\[[^]]*\]\.status$' THEN
    rank := 25;
    words := regexp_replace(p_path, '^.*\[(.*)\].*$', '\1') || ' ' || k8s.arrow(p_before, p_after);
  ELSIF p_path ~ '^status\.conditions\[[^]]*\]$' THEN
    rank := 26;
    words := regexp_replace(p_path, '^.*\[(.*)\]$', '\1') || ' ' || CASE sign WHEN '-' THEN 'gone' ELSE p_after ->> 'status' END;
  ELSIF p_path ~ '^status\.conditions\[[^]]*\]\.(reason|message)$' THEN
    rank := 60;
    words := CASE last WHEN 'reason' THEN regexp_replace(p_path, '^.*\[(.*)\].*$', '\1') || ': ' || COALESCE(p_after #>> '{}', 'no reason') END;
  ELSE
    rank := CASE WHEN p_path LIKE 'spec.%' THEN 40 WHEN p_path LIKE 'status.%' THEN 70 ELSE 50 END;
    words := CASE sign WHEN '' THEN '' ELSE sign END || regexp_replace(p_path, '^(spec|status)\.', '')
      || CASE sign WHEN '' THEN ' ' || k8s.arrow(p_before, p_after) ELSE '' END;
  END IF;
END
$$;

CREATE FUNCTION k8s.summary(op "char", before jsonb, after jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  phrases text[];
  rest    integer;
  line    text;
BEGIN
  IF op = 'd' THEN
    RETURN 'deleted' || COALESCE(' (was ' || (COALESCE(after, before) #>> '{status,phase}') || ')', '');
  ELSIF op = 'c' OR before IS NULL OR after IS NULL THEN
    RETURN CASE op WHEN 'r' THEN 'first seen' WHEN 'c' THEN 'created' ELSE 'changed; the version before it is not kept' END;
  END IF;
  SELECT array_agg(w ORDER BY r, p) INTO phrases
    FROM (SELECT f.words AS w, min(f.rank) AS r, min(d.path) AS p
            FROM k8s.diff(summary.before, summary.after) AS d CROSS JOIN LATERAL k8s.phrase(d.path, d.before, d.after, summary.after) AS f
           WHERE f.words IS NOT NULL GROUP BY f.words) AS said;
  IF phrases IS NULL THEN
    SELECT array_agg(d.path) INTO phrases FROM k8s.diff(summary.before, summary.after) AS d
     WHERE NOT (d.before IS NULL AND d.path ~ '^status\.(current|update)Revision$' OR COALESCE(d.before, d.after) = '0' AND (d.before IS NULL OR d.after IS NULL));
  END IF;
  rest := cardinality(phrases) - 6;
  line := array_to_string(phrases[1:6], '; ') || CASE WHEN rest > 0 THEN format('; … and %s more', rest) ELSE '' END;
  RETURN COALESCE(CASE WHEN length(line) > 240 THEN left(line, 239) || '…' ELSE line END, '');
END
$$;
COMMENT ON FUNCTION k8s.summary("char", jsonb, jsonb) IS 'A change in one line: image v42 → v43; replicas 3 → 5; +env FEATURE_X. Empty where nothing of interest has changed. `kubetape changes` says more';

-- Where the run of days without a hole begins that leads to the day of `p_at`: within it the default partition holds nothing.
CREATE FUNCTION k8s.days_begin(p_history text, p_at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  WITH days AS (
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = format('k8s.%I', p_history)::regclass AND c.relname ~ '_p\d{8}$'
  ), runs AS (
    SELECT day, day - (row_number() OVER (ORDER BY day))::integer AS run FROM days
  )
  SELECT COALESCE((
    SELECT min(day)::timestamp AT TIME ZONE 'UTC' FROM runs
     WHERE run = (SELECT run FROM runs WHERE day = (p_at AT TIME ZONE 'UTC')::date)), 'infinity')
$$;

-- k8s.<table>_at(time). The times are literals of its query, so that only the partitions are looked at that matter, newest
-- first: as parameters they would have every partition asked about every object.
CREATE FUNCTION k8s.create_at(p_table text, p_resource text) RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE
  columns text;
BEGIN
  SELECT string_agg(CASE a.attname WHEN 'created_at' THEN 'p.created_at' WHEN 'deleted_at' THEN 'NULL::timestamptz' ELSE format('h.%I', a.attname) END, ', ' ORDER BY a.attnum)
    INTO columns
    FROM pg_attribute a WHERE a.attrelid = format('k8s.%I', p_table)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
  EXECUTE format($ddl$
    CREATE OR REPLACE FUNCTION k8s.%1$I(t timestamptz) RETURNS SETOF k8s.%2$I LANGUAGE plpgsql STABLE ROWS 10000 SET jit = off AS $at$
    BEGIN
      RETURN QUERY EXECUTE format($q$
        -- What has not changed since is what it is.
        SELECT p.* FROM k8s.%2$I AS p WHERE p.changed_at <= %%1$L AND p.deleted_at IS NULL
        UNION ALL
        SELECT %4$s
          FROM k8s.%2$I AS p CROSS JOIN LATERAL (
            SELECT * FROM (
              (SELECT * FROM k8s.%3$I AS v WHERE v.uid = p.uid AND v.cluster = p.cluster AND v.changed_at >= %%2$L AND v.changed_at <= %%1$L
                ORDER BY v.changed_at DESC, v.epoch DESC, v.resource_version DESC LIMIT 1)
              UNION ALL
              (SELECT * FROM k8s.%3$I AS v WHERE v.uid = p.uid AND v.cluster = p.cluster AND v.changed_at < %%2$L AND v.changed_at <= %%1$L
                ORDER BY v.changed_at DESC, v.epoch DESC, v.resource_version DESC LIMIT 1)
            ) AS either ORDER BY changed_at DESC LIMIT 1
          ) AS h
         -- The clocks of collector and API server may differ, but hardly by an hour.
         WHERE p.changed_at > %%1$L AND (p.created_at IS NULL OR p.created_at <= %%3$L) AND h.op <> 'd'
      $q$, t, k8s.days_begin(%3$L, t), t + interval '1 hour');
    END
    $at$
  $ddl$, p_table || '_at', p_table, p_table || '_history', columns);
  EXECUTE format('COMMENT ON FUNCTION k8s.%I(timestamptz) IS %L', p_table || '_at', format('k8s.%s as it was: the %s that were there, as they were', p_table, p_resource));
END
$outer$;

CREATE FUNCTION k8s.objects_at(t timestamptz) RETURNS TABLE (
  resource text, cluster text, namespace text, name text, uid uuid, epoch integer, resource_version bigint, created_at timestamptz, changed_at timestamptz, object jsonb
) LANGUAGE plpgsql STABLE ROWS 10000 AS $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT s.resource AS name, table_name FROM k8s.resources AS s ORDER BY s.resource LOOP
    RETURN QUERY EXECUTE format('SELECT %L::text, cluster, namespace, name, uid, epoch, resource_version, created_at, changed_at, object FROM k8s.%I($1)',
                                r.name, r.table_name || '_at') USING t;
  END LOOP;
END
$$;
COMMENT ON FUNCTION k8s.objects_at(timestamptz) IS 'Every object of every resource that was there, as it was';

-- The view over all histories, made anew for each new resource. What is not asked for is not computed.
CREATE FUNCTION k8s.refresh_changes() RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE
  arms text;
BEGIN
  SELECT string_agg(format($arm$
    SELECT h.changed_at, %1$L::text AS resource, h.namespace, h.name, h.op::text AS op, h.by_manager,
           k8s.summary(h.op, (
             SELECT b.object FROM k8s.%2$I AS b
              WHERE b.uid = h.uid AND b.changed_at = h.previous_at AND b.cluster = h.cluster AND (b.epoch, b.resource_version) < (h.epoch, h.resource_version)
              ORDER BY b.epoch DESC, b.resource_version DESC LIMIT 1
           ), h.object) AS summary,
           h.cluster, h.uid, h.epoch, h.resource_version, h.previous_at, h.by_operation, h.synthetic, h.snapshot, h.kafka_partition, h.kafka_offset
      FROM k8s.%2$I AS h
  $arm$, resource, table_name || '_history'), ' UNION ALL ' ORDER BY resource) INTO arms FROM k8s.resources;
  EXECUTE 'CREATE OR REPLACE VIEW k8s.changes AS SELECT * FROM (' || COALESCE(arms, $none$
    SELECT NULL::timestamptz AS changed_at, NULL::text AS resource, NULL::text AS namespace, NULL::text AS name, NULL::text AS op, NULL::text AS by_manager,
           NULL::text AS summary, NULL::text AS cluster, NULL::uuid AS uid, NULL::integer AS epoch, NULL::bigint AS resource_version, NULL::timestamptz AS previous_at,
           NULL::text AS by_operation, NULL::boolean AS synthetic, NULL::boolean AS snapshot, NULL::integer AS kafka_partition, NULL::bigint AS kafka_offset
     WHERE false $none$) || ') AS c ORDER BY changed_at DESC';
  PERFORM k8s.describe('changes', 'Every change of every resource, newest first. Say since when: WHERE changed_at > now() - interval ''15 minutes''', jsonb_build_object(
    'changed_at', 'When the collector saw the change',
    'resource', 'Resource, as in k8s.resources',
    'namespace', 'Namespace; empty for what has none',
    'name', 'Name',
    'op', 'r first seen in a list, c created, u updated, d deleted',
    'by_manager', 'Who: the field manager that wrote last; not known of deletions',
    'summary', 'What changed, in one line; empty where nothing of interest did',
    'cluster', 'Name of the cluster',
    'uid', 'metadata.uid',
    'epoch', 'Grows when resourceVersions begin to mean something else',
    'resource_version', 'The resourceVersion that the change made',
    'previous_at', 'changed_at of the version before it; NULL for the first one',
    'by_operation', 'How: Apply or Update',
    'synthetic', 'True for a deletion that was found by comparison',
    'snapshot', 'True when the change was seen in a list: changes before it may be missing',
    'kafka_partition', 'Partition of the topic in which the record lies',
    'kafka_offset', 'Where the record lies in its partition of the topic'));
  PERFORM k8s.let_read('changes');
END
$outer$;

SELECT k8s.refresh_changes();
