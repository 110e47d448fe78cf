/**
 * The two hot paths alone, in one process and without servers:
 *   capture  bytes of a watch → lines → parsed, redacted, compared with what is known → the messages of a transaction
 *   sink     change records → rows → the parameters of the statement
 * and, as a measure of this machine today, JSON.parse of the same lines alone.
 * Prints one line of JSON per path: CPU time per event, of all threads (garbage collection is work too).
 */
import { entryOf, type Track } from '../../src/capture/entries.ts';
import { projectionOf } from '../../src/capture/projection.ts';
import { Tracker } from '../../src/capture/tracker.ts';
import { tableFor } from '../../src/columns/columns.ts';
import { decodeBatch } from '../../src/sinks/batch.ts';
import type { SourceRecord } from '../../src/sinks/ports.ts';
import type { KubeClient } from '../../src/kubernetes/client.ts';
import { createDecoder } from '../../src/kubernetes/decode.ts';
import { createRedactor } from '../../src/kubernetes/redact.ts';
import { Reflector } from '../../src/kubernetes/reflector.ts';
import { REFLECTOR_DEFAULTS, type ReflectorListener } from '../../src/kubernetes/reflector-options.ts';
import { wavesOf } from '../../src/postgres/waves.ts';
import { writeParameters } from '../../src/postgres/write-statement.ts';
import { PodGenerator } from './pods.ts';

interface Wanted {
  readonly seed: number;
  readonly objects: number;
  readonly events: number;
}

const wanted = JSON.parse(process.argv[2] ?? '') as Wanted;
const CHUNK_BYTES = 64 * 1024;
const BATCH_ROWS = 1_000;
const TYPE = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true } as const;
/** Before the first measurement the code is compiled for what it sees. */
const WARM_EVENTS = 5_000;

function report(path: string, events: number, bytes: number, cpu: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(`${JSON.stringify({ path, events, micros: (user + system) / events, bytes: bytes / events })}\n`);
}

/** The stream of a watch in chunks as a socket gives them. */
function* chunksOf({ seed, objects }: Wanted, from: number, events: number): Generator<Buffer> {
  const pods = new PodGenerator(seed);
  let out = Buffer.allocUnsafe(CHUNK_BYTES + 16_384);
  let at = 0;
  for (let event = from; event < from + events; event += 1) {
    at += out.write('{"type":"MODIFIED","object":', at, 'latin1');
    at = pods.write(pods.changed(event, objects), out, at);
    at += out.write('}\n', at, 'latin1');
    if (at < CHUNK_BYTES) continue;
    // A line ends where a chunk does only by chance.
    yield out.subarray(0, CHUNK_BYTES);
    const next = Buffer.allocUnsafe(CHUNK_BYTES + 16_384);
    at = out.copy(next, 0, CHUNK_BYTES, at);
    out = next;
  }
  if (at > 0) yield out.subarray(0, at);
}

const SILENT: ReflectorListener = {
  state: () => undefined,
  listed: () => undefined,
  relist: () => undefined,
  answered: () => undefined,
  watchEnded: () => undefined,
  failed: ({ error }) => {
    throw error;
  },
};

async function capturePath(chunks: readonly Buffer[], start: number): Promise<{ records: number; bytes: number }> {
  const stop = new AbortController();
  const found = { records: 0, bytes: 0 };
  async function* body(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield chunk;
    stop.abort();
  }
  // Of the client only `open` and `json` are used: a probe, then one watch.
  const client = {
    server: 'http://nowhere',
    open: () => Promise.resolve({ status: 200, headers: {}, body: body() }),
    json: () => Promise.resolve({ metadata: { resourceVersion: String(start) } }),
  } as unknown as KubeClient;
  const scope = { type: TYPE, resource: 'pods', namespace: '', labelSelector: '', fieldSelector: '' };
  const redact = createRedactor({ hmacKey: Buffer.from('key'), configmapData: 'redact', rules: [] });
  const reflector = new Reflector(client, scope, createDecoder(TYPE, 'pods', redact), SILENT, REFLECTOR_DEFAULTS);
  const track: Track = { cluster: 'bench', type: TYPE, resource: 'pods', namespace: '', scope: '', topicPrefix: '' };
  const tracker = new Tracker({
    known: new Map(),
    checkpoint: { v: 1, resourceVersion: String(start), epoch: 1, scope: '', ts: new Date().toISOString() },
    epoch: 1,
    expires: false,
    project: ({ kind, object }) => JSON.stringify(projectionOf(kind, object)),
  });
  await reflector.run(
    String(start),
    'first',
    (observation) => {
      const nowMs = Date.now();
      for (const detection of tracker.observe(observation, nowMs)) {
        const { messages, bytes } = entryOf(track, detection, nowMs);
        if (messages.length > 0) found.records += 1;
        found.bytes += bytes;
      }
    },
    stop.signal,
  );
  return found;
}

/** The change records that the first path makes of the same events. */
function recordsOf({ seed, objects, events }: Wanted): SourceRecord[] {
  const pods = new PodGenerator(seed, { managedFields: false });
  return Array.from({ length: events }, (_, offset) => {
    const pod = pods.changed(offset, objects);
    const json = pods.pod(pod).toString('latin1');
    const uid = pods.uidOf(pod.index);
    const head = `{"v":1,"op":"u","ts":"2026-01-02T00:00:00.000Z","cluster":"bench","source":{"group":"","version":"v1","resource":"pods","kind":"Pod","namespace":"shop","name":"pod-${pod.index}","uid":"${uid}","resourceVersion":"${pod.version}","epoch":1,"snapshot":false,"synthetic":false},"by":{"manager":"kubelet","operation":"Update","time":"2026-01-02T00:00:00Z","subresource":"status"},"object":`;
    return { topic: 'k8s-pods', partition: 0, offset, key: null, value: Buffer.from(`${head}${json}}`), timestampMs: 0, headers: {} };
  });
}

function sinkPath(records: readonly SourceRecord[]): number {
  const table = tableFor('pods', '', 'Pod');
  let bytes = 0;
  for (let at = 0; at < records.length; at += BATCH_ROWS) {
    const slice = records.slice(at, at + BATCH_ROWS);
    const { batch } = decodeBatch('changes', slice[0]?.offset ?? 0, slice);
    for (const wave of wavesOf(batch.rows))
      for (const parameter of writeParameters(table, 0, wave)) bytes += (parameter as Buffer).length ?? 0;
  }
  return bytes;
}

const first = new PodGenerator(wanted.seed).listVersion(wanted.objects);
await capturePath([...chunksOf(wanted, 0, WARM_EVENTS)], first);
const chunks = [...chunksOf(wanted, 0, wanted.events)];
let cpu = process.cpuUsage();
const { records, bytes } = await capturePath(chunks, first);
if (records !== wanted.events) throw new Error(`${records} of ${wanted.events} events became records`);
report('capture', records, bytes, cpu);

cpu = process.cpuUsage();
let parsed = 0;
for (const chunk of chunks) {
  for (let from = 0, at = chunk.indexOf(0x0a); at >= 0; from = at + 1, at = chunk.indexOf(0x0a, from)) {
    const line = chunk.toString('utf8', from, at);
    // The first line of a chunk began in the one before.
    if (line.startsWith('{"type":"MODIFIED"')) parsed += Object.keys(JSON.parse(line) as object).length / 2;
  }
}
report('parse', parsed, 0, cpu);

const filled = recordsOf(wanted);
sinkPath(filled.slice(0, WARM_EVENTS));
cpu = process.cpuUsage();
report('sink', filled.length, sinkPath(filled), cpu);
