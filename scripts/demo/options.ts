/** What the demo is asked for. Only flags count: a KUBECONFIG that happens to be set is not touched. */
export interface DemoOptions {
  /** null runs until Ctrl-C. */
  readonly forMs: number | null;
  readonly kubeconfig: string | null;
  readonly kafkaBrokers: string | null;
  readonly databaseUrl: string | null;
  readonly workloads: boolean;
}

export const USAGE = `usage: npm run demo -- [options]

Starts a Kubernetes cluster, Kafka and Postgres on this machine, records the cluster with kubetape, keeps it changing,
and shows each change as it arrives. Ctrl-C stops all of it.

  --for TIME             end by itself after TIME (60s, 5m) with a summary
  --kubeconfig FILE      watch this cluster in place of a local one (it is only watched)
  --kafka-brokers LIST   use this Kafka in place of a local one
  --database-url URL     use this Postgres in place of a local one
  --workloads            sample workloads in the cluster of --kubeconfig, too (namespace kubetape-demo)
`;

/** @throws Error with a message for the user */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const values = new Map<string, string>();
  let workloads = false;
  for (let at = 0; at < args.length; at += 1) {
    const [flag = '', inline] = (args[at] ?? '').split(/=(.*)/s);
    if (flag === '--help' || flag === '-h') return 'help';
    if (flag === '--workloads') {
      workloads = true;
      continue;
    }
    if (!['--for', '--kubeconfig', '--kafka-brokers', '--database-url'].includes(flag)) throw new Error(`unknown option ${flag}`);
    const value = inline ?? args[(at += 1)];
    if (value === undefined || value === '') throw new Error(`${flag} needs a value`);
    values.set(flag, value);
  }
  const own = values.get('--kubeconfig') ?? null;
  return {
    forMs: values.has('--for') ? durationMs(values.get('--for') ?? '') : null,
    kubeconfig: own,
    kafkaBrokers: values.get('--kafka-brokers') ?? null,
    databaseUrl: values.get('--database-url') ?? null,
    workloads: own === null || workloads,
  };
}

function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's'] ?? 1000;
  if (match === null) throw new Error(`--for ${text} is no time; try 60s or 5m`);
  return Number(match[1]) * factor;
}
