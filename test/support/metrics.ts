/** What a process says in /metrics. */
import type { Running } from './kubetape.ts';

/** The sum of a metric over all label sets that contain `labels`; 0 where there is none. */
export async function metric(running: Running, name: string, labels = ''): Promise<number> {
  const { text } = await running.get('/metrics');
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+)(\{[^}]*\})? (\S+)$/.exec(line);
    if (match?.[1] === name && (match[2] ?? '').includes(labels)) sum += Number(match[3]);
  }
  return sum;
}
