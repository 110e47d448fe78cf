/** What only some tests need: made when the first of them asks for it, with its progress on stderr. `npm run demo` never does. */
import process from 'node:process';
import { buildGoModule, buildGoTool, copyCrds } from './go.mjs';
import { fetchConnect } from './kafka.mjs';
import { BINARIES, CONNECT_HOME, CRDS, exists, SCHEMAS } from './places.mjs';
import { Progress } from './progress.mjs';
import { writeSchemas } from './schemas.mjs';
import { missingTools } from './tools.mjs';
import { HCL2JSON, HELM, KUBECONFORM, PROMETHEUS, TERRAFORM_PROVIDERS } from './versions.mjs';

/** Prometheus numbers its Go module apart: 3.15.0 is v0.315.0. */
const PROMETHEUS_MODULE = PROMETHEUS.replace(/^(\d+)\.(\d+)\./, (_all, major, minor) => `0.${major}${minor.padStart(2, '0')}.`);

const EXTRAS = {
  promtool: {
    title: `promtool ${PROMETHEUS}`,
    usualSeconds: 180,
    place: BINARIES.promtool,
    run: () =>
      buildGoTool(
        'promtool',
        'github.com/prometheus/prometheus',
        'github.com/prometheus/prometheus/cmd/promtool',
        PROMETHEUS_MODULE,
        // The clients of two dozen clouds, which would take longer than all the rest.
        ['-tags', 'remove_all_sd'],
      ),
  },
  helm: {
    title: `Helm ${HELM}`,
    usualSeconds: 120,
    place: BINARIES.helm,
    run: () => buildGoTool('helm', 'helm.sh/helm/v4', 'helm.sh/helm/v4/cmd/helm', HELM),
  },
  prometheus: {
    title: `Prometheus ${PROMETHEUS}`,
    usualSeconds: 120,
    place: BINARIES.prometheus,
    run: () =>
      buildGoTool('prometheus', 'github.com/prometheus/prometheus', 'github.com/prometheus/prometheus/cmd/prometheus', PROMETHEUS_MODULE, [
        '-tags',
        'remove_all_sd',
      ]),
  },
  kubeconform: {
    title: `kubeconform ${KUBECONFORM}`,
    usualSeconds: 15,
    place: BINARIES.kubeconform,
    run: () => buildGoTool('kubeconform', 'github.com/yannh/kubeconform', 'github.com/yannh/kubeconform/cmd/kubeconform', KUBECONFORM),
  },
  hcl2json: {
    title: `hcl2json ${HCL2JSON}`,
    usualSeconds: 15,
    place: BINARIES.hcl2json,
    run: () => buildGoTool('hcl2json', 'github.com/tmccombs/hcl2json', 'github.com/tmccombs/hcl2json', HCL2JSON),
  },
  'terraform-provider-helm': terraformProvider('helm'),
  'terraform-provider-kubernetes': terraformProvider('kubernetes'),
  connect: { title: 'Kafka Connect with Debezium', usualSeconds: 60, place: CONNECT_HOME, tools: ['java', 'mvn'], run: fetchConnect },
  schemas: { title: 'JSON Schemas of Kubernetes', usualSeconds: 20, place: SCHEMAS, run: writeSchemas },
  crds: { title: 'definitions of custom resources', usualSeconds: 10, place: CRDS, run: copyCrds },
};

function terraformProvider(name) {
  const [binary, version] = [`terraform-provider-${name}`, TERRAFORM_PROVIDERS[name]];
  // A host that is gone; the module lives on under another name.
  const replaces = ['vbom.ml/util => github.com/fvbommel/util v0.0.0-20180919145318-efcd4e0f9787'];
  return {
    title: `${binary} ${version}`,
    usualSeconds: 240,
    place: BINARIES[binary],
    run: () => buildGoModule(binary, `github.com/hashicorp/${binary}`, version, replaces),
  };
}

/** @returns its path @throws where Go is missing, or the build fails */
export async function onDemand(name) {
  const extra = EXTRAS[name];
  if (!exists(extra.place)) {
    for (const { name: tool, remedy } of missingTools(new Set(extra.tools ?? ['go'])))
      throw new Error(`${extra.title} needs ${tool}: ${remedy}`);
    await new Progress(process.stderr).run(extra);
  }
  return extra.place;
}
