/**
 * The OpenTelemetry Collector as a subject of `capture`: its k8sobjects receiver and its Kafka exporter, built from Go
 * modules by its own builder and kept in the cache.
 */
import { spawn } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { artifact } from '../../setup/artifact.mjs';
import { CACHE, exists, PLATFORM } from '../../setup/places.mjs';
import type { Sample } from '../report.ts';
import { Replayed } from '../replayed.ts';
import type { Bench } from '../scenario.ts';
import type { Load } from '../scenarios/capture.ts';
import { createTopic, TopicEnd } from '../topic.ts';
import { measured } from './informer.ts';

export const OTEL = 'OpenTelemetry Collector';
const VERSION = '0.111.0';
const PARTITIONS = 3;
const HOME = path.join(CACHE, `otel-collector-${VERSION}-${PLATFORM}`);

/** Builds it where it is missing. @returns the binary */
export async function otelCollector(say: (text: string) => void): Promise<string> {
  const binary = path.join(HOME, 'collector');
  if (exists(binary)) return binary;
  say(`building the OpenTelemetry Collector ${VERSION} (some minutes, the first time only)`);
  await artifact(HOME, async (building) => {
    const contrib = 'github.com/open-telemetry/opentelemetry-collector-contrib';
    const config = {
      dist: { name: 'collector', output_path: building, version: VERSION, otelcol_version: VERSION },
      receivers: [{ gomod: `${contrib}/receiver/k8sobjectsreceiver v${VERSION}` }],
      exporters: [{ gomod: `${contrib}/exporter/kafkaexporter v${VERSION}` }],
    };
    const file = path.join(building, 'builder.json');
    writeFileSync(file, JSON.stringify(config));
    const args = ['run', `go.opentelemetry.io/collector/cmd/builder@v${VERSION}`, `--config=${file}`];
    const { status, stderr } = spawnSync('go', args, { encoding: 'utf8', cwd: building, env: { ...process.env, CGO_ENABLED: '0' } });
    if (status !== 0) throw new Error(`the OpenTelemetry Collector could not be built: ${stderr.slice(-1500)}`);
  });
  return binary;
}

export async function otelRun({ options, stack }: Bench, load: Load, binary: string): Promise<Sample['values']> {
  const replayed = await Replayed.start(stack.dir, { seed: options.seed, objects: load.objects, bytesPerSecond: 0 });
  const topic = `bench-otel-${Date.now().toString(36)}`;
  await createTopic(stack, topic, PARTITIONS);
  const end = await TopicEnd.open(stack, topic, PARTITIONS);
  const dir = path.join(stack.dir, 'otel');
  mkdirSync(dir, { recursive: true });
  const config = path.join(dir, `${topic}.json`);
  writeFileSync(config, JSON.stringify(configOf(stack.brokers, topic)));
  const log = openSync(path.join(dir, `${topic}.log`), 'w');
  const child = spawn(binary, [`--config=${config}`], {
    stdio: ['ignore', log, log],
    env: { ...process.env, KUBECONFIG: replayed.kubeconfig },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    return await measured(stack, load, replayed, { topic, end, pid: child.pid ?? 0 });
  } finally {
    child.kill('SIGKILL');
    await exited;
    await end.close();
    await replayed.end();
  }
}

/** As fair as it goes: every record acknowledged by all replicas, one record an object, one sender so that order is kept. */
function configOf(brokers: string, topic: string): object {
  return {
    receivers: { k8sobjects: { auth_type: 'kubeConfig', objects: [{ name: 'pods', mode: 'watch' }] } },
    exporters: {
      kafka: {
        brokers: brokers.split(','),
        topic,
        encoding: 'raw',
        protocol_version: '2.8.0',
        producer: { required_acks: -1, compression: 'lz4' },
        sending_queue: { num_consumers: 1 },
      },
    },
    service: {
      telemetry: { logs: { level: 'warn' }, metrics: { level: 'none' } },
      pipelines: { logs: { receivers: ['k8sobjects'], exporters: ['kafka'] } },
    },
  };
}
