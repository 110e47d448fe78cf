/** Metrics that more than one stage writes to. */
import { type Metrics, SECONDS } from './metrics.ts';

export function sharedMetrics(metrics: Metrics) {
  return {
    errors: metrics.counter('kubetape_errors_total', 'Failures, by error code and by the stage that met them', ['code', 'stage']),
    changeAge: metrics.histogram(
      'kubetape_change_age_seconds',
      "Time from the API server's own time of a change (resolution: 1 s) until it was committed in Kafka (stage produced) or in Postgres (stage durable)",
      SECONDS.age,
      ['resource', 'stage'],
    ),
  };
}

export type SharedMetrics = ReturnType<typeof sharedMetrics>;
