/** A past to ask: pods, and changes of them over many days, made by the server itself. Not random: the same every time. */
import type pg from 'pg';

export const CLUSTER = 'bench';
const NAMESPACES = 50;

function podOf(): object {
  const env = Array.from({ length: 14 }, (_, n) => ({
    name: `SETTING_${n}`,
    value: `https://service-${n}.shop.svc.cluster.local:8080/api`,
  }));
  const container = (name: string): object => ({
    name,
    image: `registry.example/shop/${name}:v42`,
    env,
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    resources: { limits: { memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
    terminationMessagePath: '/dev/termination-log',
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  });
  const state = { running: { startedAt: '2026-11-20T10:00:00Z' } };
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'x', namespace: 'x', labels: { app: 'checkout', tier: 'backend', 'pod-template-hash': '7d9bcc796' } },
    spec: {
      nodeName: 'node-1',
      containers: [container('main'), container('proxy')],
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    },
    status: {
      phase: 'Running',
      podIP: '10.1.2.3',
      conditions: ['Ready', 'ContainersReady', 'Initialized', 'PodScheduled'].map((type) => ({ type, status: 'True' })),
      containerStatuses: ['main', 'proxy'].map((name) => ({ name, ready: true, restartCount: 0, state })),
    },
  };
}

/**
 * A fifth of all changes lies in the last day. Of three objects in ten all changes lie within a single day: what they were
 * on another has to be looked for.
 */
export async function fillPast(
  client: pg.Client,
  objects: number,
  changes: number,
  days: number,
  say: (text: string) => void,
): Promise<void> {
  const each = Math.round(changes / objects);
  await client.query(`SET synchronous_commit = off; SET work_mem = '256MB'; SELECT setseed(0.42)`);
  await client.query(`SELECT k8s.ensure_day('pods', (now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(0, $1::int) AS n`, [
    days + 1,
  ]);
  await client.query(
    `CREATE TEMP TABLE made AS
     SELECT *, row_number() OVER (ORDER BY at)::bigint AS rv, lag(at) OVER (PARTITION BY i ORDER BY at) AS previous, lead(at) OVER (PARTITION BY i ORDER BY at) IS NULL AS last
       FROM (SELECT i, md5(i::text)::uuid AS uid, date_trunc('milliseconds', now() - CASE
                      WHEN i % 10 < 3 THEN (i * 37 % ($3::int - 1) + random()) * interval '1 day'
                      WHEN n % 5 < 1 THEN random() * interval '1 day'
                      ELSE random() * $3::int * interval '1 day' END) AS at
               FROM generate_series(1, $1::int) AS i, generate_series(1, $2::int) AS n) AS drawn`,
    [objects, each, days],
  );
  const columns = `'node-' || i % 100, '10.1.2.3', 2 - rv % 2 || '/2', (rv % 7)::int, ARRAY['registry.example/shop/main:v42'], 'ReplicaSet/checkout', 'Running', 'Running', at`;
  const object = `jsonb_set(jsonb_set($1::jsonb, '{status,containerStatuses,0,restartCount}', to_jsonb(rv % 7)), '{metadata,name}', to_jsonb('pod-' || i))`;
  for (let day = days + 1; day >= 0; day -= 1) {
    if ((days + 1 - day) % 8 === 0) say(`filling: ${days + 1 - day} of ${days + 1} days`);
    await client.query(
      `INSERT INTO k8s.pods_history (cluster, uid, epoch, resource_version, op, changed_at, previous_at, namespace, name, by_manager, by_operation,
                                     synthetic, snapshot, kafka_partition, kafka_offset, object, node, pod_ip, ready, restarts, images, owner, phase, status, restarted_at)
       SELECT '${CLUSTER}', uid, 1, rv, CASE WHEN last AND i % 20 = 0 THEN 'd' WHEN previous IS NULL THEN 'c' ELSE 'u' END::"char", at, previous,
              'ns-' || i % ${NAMESPACES}, 'pod-' || i, 'kubelet', 'Update', false, false, i % 12, rv, ${object}, ${columns}
         FROM made WHERE (at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date - $2::int ORDER BY at`,
      [JSON.stringify(podOf()), day],
    );
  }
  await client.query(
    `INSERT INTO k8s.pods (cluster, uid, namespace, name, resource_version, epoch, created_at, changed_at, deleted_at, object, node, pod_ip, ready, restarts, images, owner, phase, status, restarted_at)
     SELECT h.cluster, h.uid, h.namespace, h.name, h.resource_version, h.epoch, f.first, h.changed_at, CASE h.op WHEN 'd' THEN h.changed_at END,
            h.object, h.node, h.pod_ip, h.ready, h.restarts, h.images, h.owner, h.phase, h.status, h.restarted_at
       FROM made AS m JOIN k8s.pods_history AS h ON h.uid = m.uid AND h.changed_at = m.at AND h.resource_version = m.rv
       JOIN (SELECT uid, min(at) AS first FROM made GROUP BY uid) AS f ON f.uid = m.uid
      WHERE m.last`,
  );
  await client.query('VACUUM ANALYZE k8s.pods');
  await client.query('VACUUM ANALYZE k8s.pods_history');
}
