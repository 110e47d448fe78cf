/**
 * The Terraform module, applied and destroyed: real Terraform (or OpenTofu), a real API server, pods run by KWOK. The
 * providers are built from their Go modules, of which only old versions can be; the module is written for these and newer ones.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onDemand } from '../setup/on-demand.mjs';
import { BINARIES, ROOT } from '../setup/places.mjs';
import { Stack } from '../stack/stack.ts';

const ROOT_MODULE = (kubeconfig: string): string => `
provider "kubernetes" {
  config_path = "${kubeconfig}"
}
provider "helm" {
  kubernetes {
    config_path = "${kubeconfig}"
  }
}
variable "sinks" {
  type    = number
  default = 3
}
module "kubetape" {
  source          = "./manifests/terraform"
  existing_secret = "kubetape-access"
  sink_replicas   = { min = 1, max = var.sinks }
  timeout         = 300
}
output "next" {
  value = module.kubetape.next
}
`;

export async function prove(): Promise<void> {
  const terraform = ['terraform', 'tofu'].find((name) => spawnSync(name, ['version'], { stdio: 'ignore' }).status === 0);
  if (terraform === undefined) throw new Error('needs Terraform 1.3 or newer, or OpenTofu, on the PATH');
  const providers = await Promise.all([onDemand('terraform-provider-helm'), onDemand('terraform-provider-kubernetes')]);
  const folder = mkdtempSync(path.join(tmpdir(), 'kubetape-terraform-'));
  const servers = path.join(folder, 'stack');
  try {
    const stack = await Stack.up(servers, undefined, ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok']);
    cpSync(path.join(ROOT, 'manifests'), path.join(folder, 'manifests'), { recursive: true, dereference: false, verbatimSymlinks: true });
    const overrides = ['helm', 'kubernetes'].map((name, at) => {
      // Terraform looks for a name that begins so, in a folder.
      const home = path.join(folder, 'providers', name);
      mkdirSync(home, { recursive: true });
      cpSync(providers[at] ?? '', path.join(home, `terraform-provider-${name}`), { recursive: true });
      return `    "hashicorp/${name}" = "${home}"\n`;
    });
    const config = path.join(folder, 'terraformrc');
    writeFileSync(config, `provider_installation {\n  dev_overrides {\n${overrides.join('')}  }\n}\n`);
    writeFileSync(path.join(folder, 'main.tf'), ROOT_MODULE(stack.kubeconfig));
    const env = { ...process.env, TF_CLI_CONFIG_FILE: config, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
    const run = (args: readonly string[], cwd = folder): string => {
      process.stdout.write(`  ${terraform} ${args.join(' ')}\n`);
      const { status, stdout, stderr } = spawnSync(terraform, args, { cwd, env, encoding: 'utf8' });
      assert.equal(status, 0, `${terraform} ${args.join(' ')}: ${stdout}${stderr}`);
      return stdout;
    };
    const kubectl = (args: readonly string[], input?: string): { status: number | null; stdout: string } =>
      spawnSync(BINARIES.kubectl, [`--kubeconfig=${stack.kubeconfig}`, ...args], { encoding: 'utf8', input });

    run(['fmt', '-check', '-recursive', path.join(ROOT, 'manifests', 'terraform')]);
    for (const example of ['complete', 'external']) {
      const at = path.join(folder, 'manifests', 'terraform', 'examples', example);
      run(['get', '-no-color'], at);
      run(['validate', '-no-color'], at);
    }
    run(['get', '-no-color']);
    run(['validate', '-no-color']);
    run(['apply', '-no-color', '-auto-approve', '-target=module.kubetape.kubernetes_namespace.this']);
    prepare(kubectl);
    assert.match(run(['apply', '-no-color', '-auto-approve']), /helm -n kubetape test kubetape/);
    assert.match(run(['plan', '-no-color']), /No changes/);
    const max = (): string => kubectl(['-n', 'kubetape', 'get', 'hpa', 'kubetape-sink', '-o', 'jsonpath={.spec.maxReplicas}']).stdout;
    assert.equal(max(), '3');
    run(['apply', '-no-color', '-auto-approve', '-var', 'sinks=5']);
    assert.equal(max(), '5');
    assert.match(
      kubectl(['get', 'namespace', 'kubetape', '-o', 'jsonpath={.metadata.labels}']).stdout,
      /"pod-security.kubernetes.io\/enforce":"restricted"/,
    );
    run(['destroy', '-no-color', '-auto-approve']);
    assert.notEqual(kubectl(['get', 'namespace', 'kubetape']).status, 0);
    assert.notEqual(kubectl(['get', 'clusterrole', 'kubetape-collector']).status, 0);
  } finally {
    // Of a stack that did not come up, too, some servers run.
    await new Stack(servers).reset();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Disks, which nobody provisions here; and the Secret that the module is told of. */
function prepare(kubectl: (args: readonly string[], input?: string) => { status: number | null }): void {
  const volumes = ['one', 'two'].map((name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: { capacity: { storage: '1Ti' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/nowhere' } },
  }));
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'kubetape-access', namespace: 'kubetape' },
    stringData: {
      'hmac-key': 'a key that is long enough',
      'postgres-password': 'p',
      'database-url': 'postgres://kubetape:p@kubetape-postgres/kubetape',
    },
  };
  assert.equal(kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...volumes, secret] })).status, 0);
}
