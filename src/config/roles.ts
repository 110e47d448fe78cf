/** Which settings each role has, and what they are once they are read. */
import { auditShape } from './audit.ts';
import { captureShape } from './capture.ts';
import { kafkaShape, topicsShape } from './kafka.ts';
import type { Shape, ValuesOf } from './kinds.ts';
import { kubernetesShape, resourcesShape } from './kubernetes.ts';
import { messagesShape } from './messages.ts';
import { postgresShape } from './postgres.ts';
import { httpShape, logShape } from './process.ts';
import { retentionShape } from './retention.ts';
import { sinkShape } from './sink.ts';

/** Concerns in the order in which help and README show them. */
export const CONCERNS = {
  resources: { title: 'What is recorded', shape: resourcesShape },
  messages: { title: 'Other topics', shape: messagesShape },
  kubernetes: { title: 'Kubernetes', shape: kubernetesShape },
  kafka: { title: 'Kafka', shape: kafkaShape },
  topics: { title: 'Topics', shape: topicsShape },
  capture: { title: 'Collector', shape: captureShape },
  database: { title: 'Postgres', shape: postgresShape },
  sink: { title: 'Sink', shape: sinkShape },
  retention: { title: 'Retention', shape: retentionShape },
  audit: { title: 'Audit', shape: auditShape },
  http: { title: 'Metrics and health', shape: httpShape },
  log: { title: 'Log', shape: logShape },
} as const satisfies Record<string, { title: string; shape: Shape }>;

export type Concern = keyof typeof CONCERNS;

const EVERYTHING = {
  ...resourcesShape,
  ...messagesShape,
  ...kubernetesShape,
  ...kafkaShape,
  ...topicsShape,
  ...captureShape,
  ...postgresShape,
  ...sinkShape,
  ...retentionShape,
  ...httpShape,
  ...logShape,
};

/** What a question is asked with: which cluster, and the namespace that the kubeconfig's context has. */
const { cluster, kubeconfig, context } = kubernetesShape;

/** What each role has, a selection of the same concerns. */
export const SHAPES = {
  collect: { ...resourcesShape, ...kubernetesShape, ...kafkaShape, ...captureShape, ...httpShape, ...logShape },
  sink: {
    ...resourcesShape,
    ...messagesShape,
    ...kafkaShape,
    ...postgresShape,
    ...sinkShape,
    ...retentionShape,
    ...httpShape,
    ...logShape,
  },
  run: EVERYTHING,
  snapshot: { ...resourcesShape, ...kubernetesShape, ...kafkaShape, ...captureShape, ...logShape },
  audit: {
    ...resourcesShape,
    ...kubernetesShape,
    ...kafkaShape,
    ...captureShape,
    ...postgresShape,
    ...auditShape,
    ...httpShape,
    ...logShape,
  },
  topics: { ...resourcesShape, ...messagesShape, ...kafkaShape, ...topicsShape, ...logShape },
  load: { ...messagesShape, ...kafkaShape, ...postgresShape, ...logShape },
  migrate: { ...resourcesShape, ...postgresShape, ...logShape },
  retention: { ...postgresShape, ...retentionShape, ...logShape },
  check: EVERYTHING,
  dlq: { ...postgresShape },
  ask: { cluster, kubeconfig, context, ...postgresShape },
  status: { cluster, ...kafkaShape, ...postgresShape },
  tail: { cluster, kubeconfig, context, ...kafkaShape },
} as const satisfies Record<string, Shape>;

export type Role = keyof typeof SHAPES;
export type SettingsOf<R extends Role> = ValuesOf<(typeof SHAPES)[R]>;
/** Every setting: what `run` and `check` have. Fits wherever fewer are asked for. */
export type Settings = SettingsOf<'run'>;

export const ROLES = Object.keys(SHAPES) as Role[];

export function isRole(name: string): name is Role {
  return Object.hasOwn(SHAPES, name);
}
