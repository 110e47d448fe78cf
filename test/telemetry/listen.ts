/** A telemetry whose lines and metrics a test can read. */
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';

export interface Heard {
  readonly telemetry: Telemetry;
  readonly lines: Record<string, unknown>[];
  /** Samples of one metric, as they are scraped: `name{labels} value`. */
  readonly samples: (name: string) => Promise<string[]>;
}

export function listen(level: 'debug' | 'info' = 'info'): Heard {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const telemetry = createTelemetry({ role: 'test', cluster: 'c1', version: '1.2.3', level, format: 'json', destination });
  return {
    telemetry,
    lines,
    samples: async (name) =>
      (await telemetry.registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
  };
}
