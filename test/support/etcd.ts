/**
 * etcd as a test sees it, through its JSON gateway: what really happened in a cluster, whatever becomes of its API server.
 * The recorder here is the independent observer of tests that kill the API server: it watches etcd itself.
 */
import { request, type IncomingMessage } from 'node:http';
import type { Stack } from '../../scripts/stack/stack.ts';
import { StreamWitness, type Recorded } from './witness.ts';

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision: string;
}

interface WatchResult {
  readonly result?: {
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly events?: readonly { readonly type?: 'DELETE'; readonly kv: KeyValue; readonly prev_kv?: KeyValue }[];
  };
}

export class Etcd {
  readonly #url: string;

  constructor(stack: Stack) {
    this.#url = `http://127.0.0.1:${stack.state.ports.etcd}`;
  }

  async call<T>(path: string, body: unknown): Promise<T> {
    const response = await this.open(path, body);
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) text += chunk as string;
    if (response.statusCode !== 200) throw new Error(`etcd ${path}: ${response.statusCode} ${text.slice(0, 200)}`);
    return JSON.parse(text) as T;
  }

  open(path: string, body: unknown): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const call = request(`${this.#url}${path}`, { method: 'POST', agent: false }, resolve);
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }

  async revision(): Promise<string> {
    const { header } = await this.call<{ header: { revision: string } }>('/v3/kv/range', { key: base64('/'), limit: 1 });
    return header.revision;
  }

  /** Forgets everything before the present: watches and lists from older revisions are answered 410. */
  async compact(): Promise<string> {
    const revision = await this.revision();
    await this.call('/v3/kv/compaction', { revision, physical: true });
    return revision;
  }

  /** All objects of a resource, and the revision at which they are so. */
  async list(resource: string): Promise<{ readonly revision: string; readonly objects: Recorded[] }> {
    const answer = await this.call<{ header: { revision: string }; kvs?: KeyValue[] }>('/v3/kv/range', rangeOf(resource));
    return { revision: answer.header.revision, objects: (answer.kvs ?? []).map((kv) => recorded('ADDED', kv, kv.mod_revision)) };
  }
}

/** The observer of what is in etcd: no API server's cache can be slow for it. */
export async function watchEtcd(stack: Stack, resource: string): Promise<StreamWitness> {
  const etcd = new Etcd(stack);
  const { revision, objects } = await etcd.list(resource);
  const start = { ...rangeOf(resource), start_revision: String(BigInt(revision) + 1n), prev_kv: true };
  return new StreamWitness({ resource, from: revision, initial: objects }, await etcd.open('/v3/watch', { create_request: start }), told);
}

function told(line: unknown): Recorded[] {
  const { result } = line as WatchResult;
  if (result?.canceled === true) throw new Error(`etcd cancelled the recorder's watch: ${result.cancel_reason}`);
  return (result?.events ?? []).map(({ type, kv, prev_kv: before }) => {
    if (type !== 'DELETE') return recorded(kv.create_revision === kv.mod_revision ? 'ADDED' : 'MODIFIED', kv, kv.mod_revision);
    if (before === undefined) throw new Error('etcd deleted what the recorder has not seen');
    return recorded('DELETED', before, kv.mod_revision);
  });
}

function rangeOf(resource: string): { key: string; range_end: string } {
  const folder = resource === 'services' ? 'services/specs' : resource;
  // '0' follows '/'.
  return { key: base64(`/registry/${folder}/`), range_end: base64(`/registry/${folder}0`) };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function recorded(type: Recorded['type'], { value = '' }: KeyValue, revision: string): Recorded {
  const { name, namespace, uid } = metadataOf(Buffer.from(value, 'base64'));
  return { type, uid, resourceVersion: revision, namespace, name };
}

/**
 * Name, namespace and uid of an object as the API server stores it: `k8s\0`, then a protobuf envelope whose field 2 is the
 * object, whose field 1 is its metadata, whose fields 1, 3 and 5 they are.
 */
export function metadataOf(stored: Buffer): { name: string; namespace: string; uid: string } {
  if (stored.subarray(0, 4).toString('latin1') !== 'k8s\0') throw new Error('not an object of Kubernetes in protobuf');
  const metadata = fieldOf(fieldOf(stored.subarray(4), 2), 1);
  const [name = '', namespace = '', uid = ''] = [1, 3, 5].map((field) => fieldOf(metadata, field).toString('utf8'));
  return { name, namespace, uid };
}

/** The first length-delimited field of that number; empty where there is none. */
function fieldOf(message: Buffer, wanted: number): Buffer {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      if (Math.floor(tag / 8) === wanted) return message.subarray(at, at + length);
      at += length;
    }
  }
  return Buffer.alloc(0);
}
