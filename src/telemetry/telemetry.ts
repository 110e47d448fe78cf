/** All that a process says of itself, in one object: its parts fit what each stage asks for. */
import { Registry } from 'prom-client';
import { auditTelemetry, type AuditTelemetry } from './audit.ts';
import { captureTelemetry, type CaptureTelemetry } from './capture.ts';
import { Health } from './health.ts';
import { serveHttp, type HttpServer } from './http.ts';
import { kafkaTelemetry, type KafkaTelemetry } from './kafka.ts';
import { createLog, type Log, type LogOptions } from './log.ts';
import { Metrics } from './metrics.ts';
import { processTelemetry, type ProcessTelemetry } from './process.ts';
import { sharedMetrics } from './shared.ts';
import { sinkTelemetry, type SinkTelemetry } from './sink.ts';

export interface TelemetryOptions extends LogOptions {
  readonly version: string;
}

export interface Telemetry {
  readonly role: string;
  readonly version: string;
  /** A log whose lines name `stage`; for what has no method of its own. */
  readonly log: (stage: string) => Log;
  readonly registry: Registry;
  readonly health: Health;
  readonly capture: CaptureTelemetry;
  readonly sink: SinkTelemetry;
  readonly audit: AuditTelemetry;
  readonly kafka: KafkaTelemetry;
  readonly process: ProcessTelemetry;
  serve(address: { readonly host: string; readonly port: number }): Promise<HttpServer>;
}

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { role, version } = options;
  const log = createLog(options);
  const registry = new Registry();
  const metrics = new Metrics(registry);
  const shared = sharedMetrics(metrics);
  const health = new Health();
  metrics.gauge('kubetape_ready', '1 while /ready says so', [], (gauge) => gauge.set(health.report().ready ? 1 : 0));
  return {
    role,
    version,
    log,
    registry,
    health,
    capture: captureTelemetry(log('capture'), metrics, shared),
    sink: sinkTelemetry(log('sink'), metrics, shared),
    audit: auditTelemetry(log('audit'), metrics),
    kafka: kafkaTelemetry(log('kafka'), metrics),
    process: processTelemetry(log('process'), registry, metrics, { role, version }),
    serve: (address) => serveHttp({ ...address, registry, health, about: { role, version } }),
  };
}
