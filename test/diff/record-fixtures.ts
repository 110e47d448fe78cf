/**
 * Records the fixtures of test/diff/: starts a cluster of its own, plays a scene with objects of every resource, and writes
 * each version that the API server's watch shows into test/diff/fixtures/<resource>.jsonl, as the collector would keep
 * it: redacted, without managedFields. Beside them what the server's OpenAPI document says of its lists.
 *
 *   node scripts/setup.mjs -- test/diff/record-fixtures.ts
 *
 * Run it for a new version of Kubernetes, and read what the tables of summary.test.ts then say.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDecoder } from '../../src/kubernetes/decode.ts';
import { createRedactor, type Json } from '../../src/kubernetes/redact.ts';
import { Kube, until } from '../support/kube.ts';
import { ownStack } from '../support/stack.ts';
import { listsOfServer } from './server-lists.ts';
import { play } from './scene.ts';

const DIR = fileURLToPath(new URL('fixtures/', import.meta.url));
const HMAC_KEY = Buffer.from('the key of the fixtures');

/** Resource → path of the watch. Leases and nodes are what noise looks like. */
const WATCHED: Readonly<Record<string, readonly [path: string, kind: string]>> = {
  pods: ['/api/v1/namespaces/shop/pods', 'Pod'],
  services: ['/api/v1/namespaces/shop/services', 'Service'],
  deployments: ['/apis/apps/v1/namespaces/shop/deployments', 'Deployment'],
  statefulsets: ['/apis/apps/v1/namespaces/shop/statefulsets', 'StatefulSet'],
  configmaps: ['/api/v1/namespaces/shop/configmaps', 'ConfigMap'],
  secrets: ['/api/v1/namespaces/shop/secrets', 'Secret'],
  events: ['/apis/events.k8s.io/v1/namespaces/shop/events', 'Event'],
  leases: ['/apis/coordination.k8s.io/v1/namespaces/kube-system/leases', 'Lease'],
  nodes: ['/api/v1/nodes', 'Node'],
  'certificates.example.org': ['/apis/example.org/v1/namespaces/shop/certificates', 'Certificate'],
};

/** One version of one object, and the step of the scene during which it was seen. */
interface Line {
  readonly name: string;
  readonly step: string;
  readonly type: string;
  readonly object: unknown;
}

class Watching {
  readonly lines = new Map<string, Line[]>();
  step = '';
  readonly #ends: (() => void)[] = [];

  async start(kube: Kube, resource: string, url: string, kind: string): Promise<void> {
    const lines: Line[] = [];
    this.lines.set(resource, lines);
    const redact = createRedactor({ hmacKey: HMAC_KEY, configmapData: 'redact', rules: [] });
    const keep = createRedactor({ hmacKey: HMAC_KEY, configmapData: 'keep', rules: [] });
    const type = { group: '', version: 'v1', plural: resource, kind, namespaced: true };
    const response = await kube.open('GET', `${url}?watch=true&timeoutSeconds=3600`, undefined, undefined, 1);
    if (response.statusCode !== 200) throw new Error(`the watch of ${resource} was answered ${response.statusCode}`);
    response.setEncoding('utf8');
    this.#ends.push(() => response.destroy());
    const read = async (): Promise<void> => {
      let rest = '';
      for await (const chunk of response) {
        const texts = (rest + (chunk as string)).split('\n');
        rest = texts.pop() ?? '';
        for (const text of texts) {
          const seen = JSON.parse(text) as { type: string; object: Json };
          const { name } = seen.object['metadata'] as { name: string };
          // A ConfigMap whose name says so is recorded in clear, as with --configmap-data=keep.
          const decoder = createDecoder(type, resource, name.endsWith('-clear') ? keep : redact);
          lines.push({ name, step: this.step, type: seen.type, object: decoder.object(seen.object).object });
        }
      }
    };
    read().catch((error: Error) => {
      if (!response.destroyed) throw error;
    });
  }

  stop(): void {
    for (const end of this.#ends) end();
  }
}

async function main(): Promise<void> {
  const stack = await ownStack('fixtures', ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok']);
  const kube = new Kube(stack);
  const watching = new Watching();
  try {
    await kube.namespace('shop');
    await defineCertificates(kube);
    for (const [resource, [url, kind]] of Object.entries(WATCHED)) await watching.start(kube, resource, url, kind);
    await play(kube, watching);
    // Leases are renewed by themselves.
    const noisy = new Set(['leases', 'nodes']);
    await until('a renewed lease', () => (watching.lines.get('leases') ?? []).some(({ type }) => type === 'MODIFIED'), 60_000);
    mkdirSync(DIR, { recursive: true });
    for (const [resource, lines] of watching.lines) {
      const kept = noisy.has(resource) ? ofOneObject(lines) : lines.filter((line) => isOfScene(resource, line));
      const text = kept.map((line) => `${JSON.stringify(line)}\n`).join('');
      // On which machine it was recorded is nobody's business.
      writeFileSync(path.join(DIR, `${resource}.jsonl`), text.replaceAll(new RegExp(`\\b${RegExp.escape(hostname())}\\b`, 'g'), 'host'));
      process.stdout.write(`${resource}: ${kept.length} versions\n`);
    }
    const lists = await listsOfServer(kube);
    writeFileSync(path.join(DIR, 'lists.jsonl'), lists.map((line) => `${JSON.stringify(line)}\n`).join(''));
    process.stdout.write(`lists: ${lists.length}\n`);
  } finally {
    watching.stop();
    kube.close();
    await stack.reset();
  }
}

/** The pods of the Deployment, and the Events that tell of them, are many and alike. */
function isOfScene(resource: string, { name, object }: Line): boolean {
  if (resource === 'pods') return ['importer', 'web', 'nowhere', 'ledger-0'].includes(name);
  if (resource !== 'events') return name !== 'kube-root-ca.crt';
  const { regarding } = object as { regarding: { kind: string; name: string } };
  return regarding.name === 'nowhere' || regarding.name === 'importer' || (regarding.kind === 'StatefulSet' && regarding.name === 'ledger');
}

/** Of what changes all the time a few versions of one object are enough. */
function ofOneObject(lines: readonly Line[]): Line[] {
  const name = lines.find(({ type }) => type === 'MODIFIED')?.name;
  return lines.filter((line) => line.name === name).slice(0, 4);
}

async function defineCertificates(kube: Kube): Promise<void> {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  await kube.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'certificates.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Namespaced',
      names: { plural: 'certificates', singular: 'certificate', kind: 'Certificate' },
      versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: schema } }],
    },
  });
  const path = '/apis/example.org/v1/namespaces/shop/certificates';
  await until('the custom resource', async () => Array.isArray((await kube.call<{ items: unknown[] }>('GET', path)).items));
}

await main();
