/** What one writes in an afternoon: an informer of @kubernetes/client-node, and a producer. For comparison only. */
import { CoreV1Api, KubeConfig, makeInformer, type KubernetesObject, type V1Pod } from '@kubernetes/client-node';
import kafka from 'node-rdkafka';

const { kubeconfig, brokers, topic } = JSON.parse(process.argv[2] ?? '') as { kubeconfig: string; brokers: string; topic: string };
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
config.clusters = config.clusters.map((cluster) => ({ ...cluster, skipTLSVerify: true }));
const api = config.makeApiClient(CoreV1Api);

const producer = new kafka.Producer(
  {
    'metadata.broker.list': brokers,
    'enable.idempotence': true,
    'compression.codec': 'lz4',
    'linger.ms': 2,
    'batch.num.messages': 10_000,
    'queue.buffering.max.messages': 1_000_000,
    'queue.buffering.max.kbytes': 1024 * 1024,
    dr_cb: true,
  },
  { partitioner: 'murmur2' },
);
producer.on('delivery-report', () => undefined);
producer.connect({}, (error) => {
  if (error) throw error;
  producer.setPollInterval(10);
  const informer = makeInformer<V1Pod>(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
  const emit = (object: KubernetesObject): void => {
    const { namespace, name } = object.metadata ?? {};
    producer.produce(topic, null, Buffer.from(JSON.stringify(object)), `${namespace}/${name}`);
  };
  for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, emit);
  informer.on('error', (failure: unknown) => {
    process.stderr.write(`${String(failure)}\n`);
    setTimeout(() => void informer.start(), 1000);
  });
  void informer.start();
});
