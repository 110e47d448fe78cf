/** Which cluster, what of it, and what of that is kept secret. */
import { choice, file, int, list, secret, text } from './kinds.ts';

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;
const RESOURCE = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/;
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const DEFAULT_RESOURCES = ['pods', 'services', 'deployments', 'statefulsets', 'configmaps', 'secrets', 'events'] as const;

/** Shared by every role: the topics and tables there are follow from it. */
export const resourcesShape = {
  resources: list('resources', RESOURCE, 'names like pods, deployments, certificates.cert-manager.io')
    .default(DEFAULT_RESOURCES)
    .describe('What is recorded: plurals, with their group for custom resources (`certificates.cert-manager.io`)'),
};

export const kubernetesShape = {
  cluster: text('name', NAME, 'a name of up to 100 letters, digits, dots, dashes and underscores').optional().meta({
    description: 'Name of the cluster in records, keys and rows; must differ between clusters that share a Kafka',
    defaultText: "the kubeconfig context's name; in a pod the uid of `kube-system`",
  }),
  kubeconfig: file()
    .optional()
    .meta({ description: 'Kubeconfig to use', defaultText: "`KUBECONFIG`, `~/.kube/config`, or the pod's ServiceAccount" }),
  context: text('name').optional().meta({ description: 'Context of the kubeconfig', defaultText: 'its current one' }),
  namespaces: list('namespaces', NAMESPACE, 'names of namespaces')
    .default([])
    .meta({ description: 'Only these namespaces', defaultText: 'all' }),
  excludeNamespaces: list('namespaces', NAMESPACE, 'names of namespaces').default([]).describe('All but these namespaces'),
  labelSelector: text('selector').default('').describe('Only objects whose labels match, as for `kubectl get -l`'),
  fieldSelector: text('selector').default('').describe('Only objects whose fields match; every recorded resource must know the fields'),
  configmapData: choice(['redact', 'keep'])
    .default('redact')
    .describe('Values of ConfigMaps: `redact` replaces each by its length and HMAC, `keep` records them'),
  redact: list('rules', /^[a-z0-9.-]+:.+/, 'rules like pods:spec.containers[*].env[*].value')
    .default([])
    .describe('Further values to redact, as `resource:path`'),
  hmacKey: secret(16)
    .optional()
    .describe(
      'Key under which redacted values get an HMAC, so that a change of a value shows and its content does not; without it no HMAC is written',
    ),
  hmacKeyFile: file().optional().describe('File that holds `hmacKey`'),
  listPageSize: int(1, 10_000).default(500).describe('Objects a page, where the API server does not stream its lists'),
  watchMinSeconds: int(10, 3600, 'seconds').default(300).describe('Shortest time one watch request is asked to last (s)'),
  watchMaxSeconds: int(10, 7200, 'seconds').default(600).describe('Longest time one watch request is asked to last (s)'),
  watchSilenceSeconds: int(3, 3600, 'seconds')
    .default(150)
    .describe(
      'A watch without a byte for so long is taken to be dead and opened anew (s); the API server sends a bookmark a minute. Below 90, watches last for two thirds of it',
    ),
};
