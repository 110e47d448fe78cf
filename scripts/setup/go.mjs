/** Servers from Go modules: one module per tool, as they disagree on versions. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { artifact } from './artifact.mjs';
import { BINARIES, CACHE, CRDS, exists, KWOK_STAGES } from './places.mjs';
import { runTool } from './progress.mjs';
import { CRD_MODULES, KUBERNETES, KUBERNETES_STAGING, KWOK } from './versions.mjs';

const GO_ENV = { GOFLAGS: '-mod=mod', CGO_ENABLED: '0' };

/** Builds one main package of a module. */
export async function buildGoTool(name, module, main, version, flags = []) {
  const folder = path.dirname(BINARIES[name]);
  await artifact(folder, async (building) => {
    const source = path.join(building, 'source');
    mkdirSync(source);
    writeFileSync(
      path.join(source, 'go.mod'),
      `module kubetape.local/${name}\n\ngo 1.26.0\n\ntool ${main}\n\nrequire ${module} v${version}\n`,
    );
    await runTool(name, 'go', ['build', '-trimpath', '-ldflags', '-s -w', ...flags, '-o', path.join(building, name), main], {
      cwd: source,
      env: GO_ENV,
    });
  });
}

/** Builds a module as it is, with the replacements in its own go.mod, and those given here. */
export async function buildGoModule(name, module, version, replaces) {
  const source = moduleSource(module, version);
  await artifact(path.dirname(BINARIES[name]), async (building) => {
    const copy = path.join(building, 'source');
    cpSync(source, copy, { recursive: true });
    // Modules lie read-only in Go's cache.
    chmodSync(copy, 0o755);
    chmodSync(path.join(copy, 'go.mod'), 0o644);
    chmodSync(path.join(copy, 'go.sum'), 0o644);
    appendFileSync(path.join(copy, 'go.mod'), replaces.map((line) => `\nreplace ${line}\n`).join(''));
    await runTool(name, 'go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', path.join(building, name), '.'], {
      cwd: copy,
      env: GO_ENV,
    });
    rmSync(copy, { recursive: true, force: true });
  });
}

/** Builds the control plane and kubectl from the modules that Kubernetes publishes. */
export async function buildKubernetes() {
  const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
  const staging = KUBERNETES.replace(/^1\./, '0.');
  const folder = path.join(CACHE, `kubernetes-${KUBERNETES}-source`);
  mkdirSync(folder, { recursive: true });
  const tools = names.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  const replaces = KUBERNETES_STAGING.map((name) => `\tk8s.io/${name} => k8s.io/${name} v${staging}`).join('\n');
  writeFileSync(
    path.join(folder, 'go.mod'),
    `module kubetape.local/kubernetes\n\ngo 1.26.0\n\ntool (\n${tools.map((one) => `\t${one}\n`).join('')})\n\nrequire k8s.io/kubernetes v${KUBERNETES}\n\nreplace (\n${replaces}\n)\n`,
  );
  // Without its version kubectl and clients cannot parse what the server says of itself.
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${KUBERNETES} -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${KUBERNETES.split('.')[1]}`;
  for (const name of names) {
    await artifact(path.dirname(BINARIES[name]), async (building) => {
      await runTool(
        name,
        'go',
        ['build', '-trimpath', '-ldflags', flags, '-o', path.join(building, name), `k8s.io/kubernetes/cmd/${name}`],
        { cwd: folder, env: GO_ENV },
      );
    });
  }
}

/** The folder of a module's own source. */
export function moduleSource(module, version) {
  const { stdout, stderr } = spawnSync('go', ['mod', 'download', '-json', `${module}@v${version}`], { encoding: 'utf8' });
  const { Dir: folder, Error: failure } = stdout === '' ? { Error: stderr } : JSON.parse(stdout);
  if (folder === undefined) throw new Error(`${module} ${version} cannot be fetched: ${failure}`);
  return folder;
}

/** The definitions of the custom resources that the manifests write, from their operators' modules. */
export async function copyCrds() {
  await artifact(CRDS, async (building) => {
    for (const { module, version, folder, files } of CRD_MODULES) {
      const source = moduleSource(module, version);
      for (const name of files) cpSync(path.join(source, folder, name), path.join(building, name), { mode: 0 });
    }
  });
}

/** The stages that make KWOK's nodes ready and its pods run, from the module's own source. */
export async function copyKwokStages() {
  const source = moduleSource('sigs.k8s.io/kwok', KWOK);
  await artifact(KWOK_STAGES, async (building) => {
    for (const part of ['node/fast', 'node/heartbeat-with-lease', 'node/heartbeat', 'pod/fast']) {
      const from = path.join(source, 'kustomize', 'stage', part);
      if (!exists(from)) continue;
      for (const name of readdirSync(from)) {
        if (!name.endsWith('.yaml') || name === 'kustomization.yaml') continue;
        cpSync(path.join(from, name), path.join(building, `${part.replace('/', '-')}-${name}`), { mode: 0 });
      }
    }
  });
}
