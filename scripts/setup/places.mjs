/** Where things lie: the clone, its runtime, and the cache that all clones of a user share. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import * as versions from './versions.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const PACKAGE = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

export const CACHE = path.resolve(
  process.env.KUBETAPE_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'kubetape'),
);

export const PLATFORM = `${process.platform}-${process.arch}`;

const RUNTIME_PACKAGE = `node-${PLATFORM}`;
/** The runtime's version, or null where npm has none for this platform: then the host must have it. */
export const RUNTIME_VERSION = PACKAGE.optionalDependencies[RUNTIME_PACKAGE] ?? null;

/** The Node that runs kubetape in this clone. */
export function runtimeBinary() {
  return RUNTIME_VERSION === null ? process.execPath : path.join(runtimeHome(), 'bin', 'node');
}

/** The folder with the runtime's binary and headers. */
export function runtimeHome() {
  return RUNTIME_VERSION === null ? path.resolve(process.execPath, '..', '..') : path.join(ROOT, 'node_modules', RUNTIME_PACKAGE);
}

export const KAFKA_HOME = path.join(CACHE, `kafka-${versions.KAFKA}`);
export const SCHEMAS = path.join(CACHE, `schemas-${versions.KUBERNETES}-${versions.CRD_MODULES.map(({ version }) => version).join('-')}`);
export const CONNECT_HOME = path.join(CACHE, `connect-${versions.KAFKA}-${versions.DEBEZIUM}`);
export const KWOK_STAGES = path.join(CACHE, `kwok-stages-${versions.KWOK}`);

export const CRDS = path.join(CACHE, `crds-${versions.CRD_MODULES.map(({ version }) => version).join('-')}`);

/** Go tools: name → where its binary lies. */
export const BINARIES = {
  etcd: binary('etcd', versions.ETCD),
  'kube-apiserver': binary('kube-apiserver', versions.KUBERNETES),
  'kube-controller-manager': binary('kube-controller-manager', versions.KUBERNETES),
  'kube-scheduler': binary('kube-scheduler', versions.KUBERNETES),
  kubectl: binary('kubectl', versions.KUBERNETES),
  kwok: binary('kwok', versions.KWOK),
  promtool: binary('promtool', versions.PROMETHEUS),
  prometheus: binary('prometheus', versions.PROMETHEUS),
  helm: binary('helm', versions.HELM),
  kubeconform: binary('kubeconform', versions.KUBECONFORM),
  hcl2json: binary('hcl2json', versions.HCL2JSON),
  'terraform-provider-helm': binary('terraform-provider-helm', versions.TERRAFORM_PROVIDERS.helm),
  'terraform-provider-kubernetes': binary('terraform-provider-kubernetes', versions.TERRAFORM_PROVIDERS.kubernetes),
};

function binary(name, version) {
  return path.join(CACHE, `${name}-${version}-${PLATFORM}`, name);
}

export function exists(file) {
  return existsSync(file);
}
