/** Every version that the set-up builds or fetches, besides those in package.json. */
export const KAFKA = '4.3.1';
/** Debezium's JDBC sink, in a Kafka Connect of Kafka's own version. */
export const DEBEZIUM = '3.5.0.Final';
export const KUBERNETES = '1.36.3';
export const ETCD = '3.7.3';
export const KWOK = '0.8.0';
export const PROMETHEUS = '3.15.0';
export const HELM = '4.3.1';
export const KUBECONFORM = '0.7.0';
export const HCL2JSON = '0.6.4';
/** The newest ones that Go's module rules let be built from their modules. */
export const TERRAFORM_PROVIDERS = { helm: '1.3.2', kubernetes: '1.13.4' };

/** Whose custom resources the manifests write, and the files of their modules that define these. */
export const CRD_MODULES = [
  {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: '0.85.0',
    folder: 'example/prometheus-operator-crd',
    files: ['monitoring.coreos.com_servicemonitors.yaml', 'monitoring.coreos.com_prometheusrules.yaml'],
  },
  { module: 'github.com/kedacore/keda/v2', version: '2.21.0', folder: 'config/crd/bases', files: ['keda.sh_scaledobjects.yaml'] },
  {
    module: 'github.com/cert-manager/cert-manager',
    version: '1.21.2',
    folder: 'deploy/crds',
    files: ['cert-manager.io_certificates.yaml', 'cert-manager.io_issuers.yaml'],
  },
];

/** The staging modules of Kubernetes: in its own go.mod they point into its tree. */
export const KUBERNETES_STAGING = [
  'api',
  'apiextensions-apiserver',
  'apimachinery',
  'apiserver',
  'cli-runtime',
  'client-go',
  'cloud-provider',
  'cluster-bootstrap',
  'code-generator',
  'component-base',
  'component-helpers',
  'controller-manager',
  'cri-api',
  'cri-client',
  'cri-streaming',
  'csi-translation-lib',
  'dynamic-resource-allocation',
  'endpointslice',
  'externaljwt',
  'kms',
  'kube-aggregator',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
  'metrics',
  'mount-utils',
  'pod-security-admission',
  'sample-apiserver',
  'sample-cli-plugin',
  'sample-controller',
  'streaming',
];
